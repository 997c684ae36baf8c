//! GET `/auth/login`: the login page, or for somebody who is logged in, the way out (`http-api.md` 7).

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use sidegate_filters::{Exchange, Reply};

use super::auth_answer::session;
use super::problems::internal;
use crate::identity::LoginPages;
use crate::identity::login_page::LoginForm;
use crate::routes::{Endpoint, Media, Medium};

/// The endpoint.
pub struct LoginPageEndpoint(Arc<LoginPages>);

impl LoginPageEndpoint {
    /// Shows pages of `pages`.
    #[must_use]
    pub fn new(pages: Arc<LoginPages>) -> Self {
        Self(pages)
    }
}

#[async_trait]
impl Endpoint for LoginPageEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[Medium::Html] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        match session(&exchange) {
            Some(session) => Reply::Response(self.0.logged_in(session)),
            None => {
                let form = LoginForm { goal: self.0.start(), name: "", notice: None };
                self.0.form(StatusCode::OK, &form).map_or_else(|error| internal(&error).into(), Reply::Response)
            }
        }
    }
}
