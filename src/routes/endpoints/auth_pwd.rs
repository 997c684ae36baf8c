//! POST `/auth/pwd`: login with name and password, by a browser's form or by the mobile SDK (`http-api.md` 7).

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Response, StatusCode, header};
use sidegate_filters::identity_creation::{ReturnTarget, accepts_html};
use sidegate_filters::{Exchange, Problem, Reply};
use zeroize::Zeroizing;

use super::answers::json;
use super::auth_answer::{cross_site, see_other, session};
use super::form::Form;
use super::problems::{self, internal};
use crate::identity::goal::Goal;
use crate::identity::login_page::{LoginForm, Notice};
use crate::identity::password::{Credentials, PasswordError};
use crate::identity::return_field::ReturnError;
use crate::identity::{LoggedIn, LoginPages, PasswordRealm};
use crate::routes::{Endpoint, Media, Medium};

/// The endpoint.
pub struct PasswordLoginEndpoint {
    realm: Arc<PasswordRealm>,
    pages: Arc<LoginPages>,
}

impl PasswordLoginEndpoint {
    /// Logs in through `realm`, with forms of `pages`.
    #[must_use]
    pub fn new(realm: Arc<PasswordRealm>, pages: Arc<LoginPages>) -> Self {
        Self { realm, pages }
    }

    async fn log_in(&self, exchange: &Exchange, form: &Form) -> Reply {
        let html = accepts_html(&exchange.headers);
        let (Some(name), Some(password)) = (form.get("isiwebuserid"), form.get("isiwebpasswd")) else {
            return Problem::bad_request("the form needs the fields isiwebuserid and isiwebpasswd").into();
        };
        let goal = match self.pages.open(form.get("return")) {
            Ok(goal) => goal,
            Err(ReturnError::Crypto(error)) => return internal(&error).into(),
            Err(error) if html => return self.form(StatusCode::BAD_REQUEST, name, &error),
            Err(error) => return Problem::bad_request(error.to_string()).into(),
        };
        let credentials = Credentials {
            name: name.to_owned(),
            password: Zeroizing::new(password.to_owned()),
            address: exchange.client.address,
        };
        match self.realm.log_in(credentials, session(exchange), exchange.client.secure).await {
            Ok(done) => succeeded(done, html.then_some(&goal.target)),
            Err(error) => self.refused(&error, html.then_some((name, &goal))),
        }
    }

    /// A form that leads to the start page, since where this one led can't be told.
    fn form(&self, status: StatusCode, name: &str, error: &ReturnError) -> Reply {
        tracing::debug!(%error, "a login form was refused");
        let form = LoginForm { goal: self.pages.start(), name, notice: Some(Notice::Stale) };
        self.pages.form(status, &form).map_or_else(|error| internal(&error).into(), Reply::Response)
    }

    /// The problem, or for a browser the form once more, with what it says.
    fn refused(&self, error: &PasswordError, form: Option<(&str, &Goal)>) -> Reply {
        let problem = problems::password(error, self.realm.domain());
        let Some((name, goal)) = form else { return problem.into() };
        let notice = match error {
            PasswordError::Wrong => Notice::Wrong,
            PasswordError::TooMany(_) => Notice::TooMany,
            PasswordError::Busy | PasswordError::NotChecked(_) | PasswordError::Login(_) => Notice::Unavailable,
        };
        match self.pages.form(problem.status, &LoginForm { goal, name, notice: Some(notice) }) {
            Ok(mut response) => {
                response.headers_mut().extend(problem.headers);
                Reply::Response(response)
            }
            Err(error) => internal(&error).into(),
        }
    }
}

#[async_trait]
impl Endpoint for PasswordLoginEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[Medium::Form], gives: &[Medium::Json, Medium::Html] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        if let Some(refused) = cross_site(&exchange, &self.pages, accepts_html(&exchange.headers)) {
            return refused;
        }
        match Form::parse(exchange.body.as_deref().unwrap_or_default()) {
            Ok(form) => self.log_in(&exchange, &form).await,
            Err(error) => Problem::bad_request(error.to_string()).into(),
        }
    }
}

fn succeeded(done: LoggedIn, target: Option<&ReturnTarget>) -> Reply {
    let response: Result<Response<Bytes>, http::Error> = match target {
        Some(target) => see_other(target.as_str()),
        None => Ok(json(StatusCode::OK, &serde_json::json!({"status": "succeeded", "extId": done.session.ext_id}))),
    };
    match response {
        Ok(mut response) => {
            if let Some(cookie) = done.set_cookie {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            Reply::Response(response)
        }
        Err(error) => internal(&error).into(),
    }
}

#[cfg(test)]
mod tests;
