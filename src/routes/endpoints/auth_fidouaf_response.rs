//! POST `/auth/fidouaf/authenticationresponse` and `/auth/authenticationresponse`: a good answer is a login or a
//! step-up, and sets the session cookie (`http-api.md` 7).

use std::sync::Arc;

use async_trait::async_trait;
use http::header;
use sidegate_filters::{Exchange, Reply};
use sidegate_uaf::StatusCode;
use sidegate_uaf::wire::{SendUafResponse, ServerResponse, Token, TokenType};

use super::answers::{Outcome, fido_uaf, reply, to_the_end};
use super::auth_answer::{check_site, session};
use super::body::read;
use super::problems::UafFault;
use crate::identity::fido_uaf::UafAnswer;
use crate::identity::{FidoUafRealm, LoggedIn};
use crate::routes::{Endpoint, Media, Medium};

/// Logs in by UAF answers.
pub struct FidoLoginResponseEndpoint(Arc<FidoUafRealm>);

impl FidoLoginResponseEndpoint {
    /// Logs in through this realm.
    #[must_use]
    pub fn new(realm: Arc<FidoUafRealm>) -> Self {
        Self(realm)
    }

    async fn log_in(&self, exchange: &Exchange) -> Outcome {
        // An attacker's own answer, sent by a page of his, would log its reader in as him.
        check_site(exchange)?;
        let answer = read::<SendUafResponse>(exchange)?;
        let (realm, presented, client) = (Arc::clone(&self.0), session(exchange).cloned(), exchange.client.clone());
        let work = async move {
            let SendUafResponse { uaf_response, context } = answer;
            let answer = UafAnswer { response: &uaf_response, context: context.as_deref(), address: client.address };
            realm.log_in(answer, presented.as_ref(), client.secure).await
        };
        match to_the_end(work).await?.map_err(UafFault::from) {
            Ok(done) => {
                let mut response = fido_uaf(&self.succeeded(&done));
                if let Some(cookie) = done.set_cookie {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                }
                Ok(response)
            }
            Err(UafFault::Code(code)) => Ok(fido_uaf(&ServerResponse::of(code))),
            Err(UafFault::Problem(problem)) => Err(problem),
        }
    }

    /// The token is for clients without cookies: without it a login is one all the same.
    fn succeeded(&self, done: &LoggedIn) -> ServerResponse {
        let token = self.0.token(done).unwrap_or_else(|error| {
            tracing::error!(%error, "a session token could not be signed");
            None
        });
        let token = token.map(|token| Token { token_type: TokenType::Jwt, value: token.to_string() });
        ServerResponse { additional_tokens: token.into_iter().collect(), ..ServerResponse::of(StatusCode::OK) }
    }
}

#[async_trait]
impl Endpoint for FidoLoginResponseEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[Medium::FidoUaf], gives: &[Medium::FidoUaf, Medium::Json] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.log_in(&exchange).await)
    }
}
