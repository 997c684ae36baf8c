//! The pages that people see: login, step-up, logout. Plain HTML, no script, nothing loaded from anywhere.

mod failure;
mod html;
mod notice;
mod oob;

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use sidegate_filters::clock::Clock;
use sidegate_filters::identity::Session;
use sidegate_filters::identity_creation::{Demand, LoginPage, LoginPrompt, ReturnTarget};
use sidegate_filters::role::ForbiddenPage;
use sidegate_filters::{AuthenticatedSession, FilterError};

use super::goal::{By, Goal};
use super::return_field::{ReturnError, ReturnSeal};
use super::sessions::Realm;
use crate::jose::CryptoError;
use failure::no_login;
pub use failure::{failed, not_found};
use html::Escaped;
pub use html::HTML;
pub use notice::Notice;

/// The path below which the rows are by which one logs in to the services' own domain.
pub const LOGINS: &str = "/auth";

/// What stands in the login form.
#[derive(Debug, Clone, Copy)]
pub struct LoginForm<'a> {
    /// What the login is for.
    pub goal: &'a Goal,
    /// The name that is filled in.
    pub name: &'a str,
    /// What to say above it.
    pub notice: Option<Notice>,
}

/// The pages of one session domain.
pub struct LoginPages {
    seal: ReturnSeal,
    /// Forms lead to rows below it.
    path: String,
    start: Goal,
    password: Option<Realm>,
    /// The name of the realm of logins by phone.
    fido_uaf: Option<String>,
    /// The realm of browsers whose logins phones approve.
    oob: Option<Realm>,
    /// Whether a server behind may know keys of those who log in here.
    keys_behind: bool,
    clock: Arc<dyn Clock>,
}

impl LoginPages {
    /// Pages whose form logs in through the realm `password`, if the domain has one; `start` is where a login leads that
    /// has nothing to return to.
    #[must_use]
    pub fn new(seal: ReturnSeal, start: ReturnTarget, password: Option<Realm>, clock: Arc<dyn Clock>) -> Self {
        let (path, start) = (LOGINS.to_owned(), Goal::any(start));
        Self { seal, path, start, password, fido_uaf: None, oob: None, keys_behind: true, clock }
    }

    /// The same for a domain beside that of the services, where one logs in below this path, and no app does.
    #[must_use]
    pub fn beside(self, path: String) -> Self {
        Self { path, keys_behind: false, ..self }
    }

    /// The same, where phones log in through the realm of this name.
    #[must_use]
    pub fn with_phones(self, realm: Option<String>) -> Self {
        Self { fido_uaf: realm, ..self }
    }

    /// The same, where phones approve logins of browsers through this realm.
    #[must_use]
    pub fn with_approvals(self, realm: Option<Realm>) -> Self {
        Self { oob: realm, ..self }
    }

    /// Where a login leads that has nothing to return to.
    #[must_use]
    pub fn start(&self) -> &Goal {
        &self.start
    }

    /// The path of a row of the domain: the one that is at this path below [`LOGINS`] for the services' own.
    #[must_use]
    pub fn row(&self, below: &str) -> String {
        format!("{}{below}", self.path)
    }

    /// Where the form's field leads; without the field to the start page.
    ///
    /// # Errors
    /// When the field must not be followed.
    pub fn open(&self, field: Option<&str>) -> Result<Goal, ReturnError> {
        field.map_or_else(|| Ok(self.start.clone()), |field| self.seal.open(field, self.clock.now()))
    }

    /// The login page, with what helps to get there; where no browser can, a page that says so.
    ///
    /// # Errors
    /// When the return field can't be sealed.
    pub fn form(&self, status: StatusCode, form: &LoginForm<'_>) -> Result<Response<Bytes>, CryptoError> {
        let by = form.goal.by;
        match (self.password.is_some() && by.password(), self.oob.is_some() && by.approval()) {
            (true, approved) => self.password_form(status, form, approved),
            (false, true) => self.approval_form(status, form),
            (false, false) => Ok(self.phone_only(status, None)),
        }
    }

    /// The same for somebody who may have a session, which a login goes on with: where the phone alone helps, there is no
    /// name to be typed, and else it is filled in unless another one was.
    ///
    /// # Errors
    /// As [`LoginPages::form`].
    pub fn ask(
        &self,
        status: StatusCode,
        session: Option<&Session>,
        form: &LoginForm<'_>,
    ) -> Result<Response<Bytes>, CryptoError> {
        match session.filter(|session| form.name.is_empty() || form.name == session.name) {
            Some(session) if self.oob.is_some() && !form.goal.by.password() => self.confirmation(status, session, form),
            Some(session) => self.form(status, &LoginForm { name: &session.name, ..*form }),
            None => self.form(status, form),
        }
    }

    /// With a second way to go on, if the phone may approve in place of the password.
    fn password_form(
        &self,
        status: StatusCode,
        form: &LoginForm<'_>,
        approved: bool,
    ) -> Result<Response<Bytes>, CryptoError> {
        let field = self.seal.seal(form.goal, self.clock.now())?;
        let (notice, path) = (Notice::paragraph(form.notice), &self.path);
        let other = if approved { oob::button(path) } else { String::new() };
        let name = Escaped(form.name);
        // The cursor waits where something is to be typed.
        let (at_name, at_password) = if form.name.is_empty() { (" autofocus", "") } else { ("", " autofocus") };
        let body = format!(
            "<h1>Log in</h1>{notice}<form method=\"post\" action=\"{path}/pwd\">\
             <input type=\"hidden\" name=\"return\" value=\"{field}\">\
             <label for=\"user\">User name</label>\
             <input id=\"user\" name=\"isiwebuserid\" value=\"{name}\" autocomplete=\"username\" \
             autocapitalize=\"none\" spellcheck=\"false\" required{at_name}>\
             <label for=\"password\">Password</label>\
             <input id=\"password\" name=\"isiwebpasswd\" type=\"password\" autocomplete=\"current-password\" \
             required{at_password}><button type=\"submit\">Log in</button>{other}</form>"
        );
        Ok(html::page(status, "Log in", &body))
    }

    /// What is shown to somebody who is logged in, with the way out.
    #[must_use]
    pub fn logged_in(&self, session: &AuthenticatedSession) -> Response<Bytes> {
        let name = Escaped(&session.name);
        let body = format!("<h1>Logged in</h1><p>You are logged in as <strong>{name}</strong>.</p>{}", self.way_out());
        html::page(StatusCode::OK, "Logged in", &body)
    }

    /// Asks whether to log out.
    #[must_use]
    pub fn log_out(&self) -> Response<Bytes> {
        html::page(StatusCode::OK, "Log out", &format!("<h1>Log out</h1>{}", self.way_out()))
    }

    fn way_out(&self) -> String {
        let path = &self.path;
        format!("<form method=\"post\" action=\"{path}/logout\"><button type=\"submit\">Log out</button></form>")
    }

    /// Says why a form post was refused that no page of ours sent.
    #[must_use]
    pub fn refused(&self) -> Response<Bytes> {
        let body = format!(
            "<h1>Not accepted</h1><p role=\"alert\">This form was not sent from a page of this site.</p>\
             <p>A program that sends it as a browser does names this site in the header Origin.</p><p><a href=\"{}/login\">Log in here</a></p>",
            self.path
        );
        html::page(StatusCode::FORBIDDEN, "Not accepted", &body)
    }

    /// For whom a password is not enough: says what is, and the way back, since this browser can't go on here.
    fn phone_only(&self, status: StatusCode, session: Option<&Session>) -> Response<Bytes> {
        let who = session.map(|session| {
            let name = Escaped(&session.name);
            format!("You are logged in as <strong>{name}</strong>, and for this page that is not enough. ")
        });
        let body = format!(
            "<h1>Log in with your phone</h1><p role=\"alert\">{}This page asks for a login with your phone, which this \
             browser can't do. Open the page in the app on your phone.</p><p><a href=\"{}\">Back to the start</a></p>",
            who.unwrap_or_default(),
            Escaped(self.start.target.as_str())
        );
        html::page(status, "Log in with your phone", &body)
    }

    fn phone_may_meet(&self, demand: &Demand) -> bool {
        let named = |realm: &String| demand.realms.is_empty() || demand.realms.contains(realm);
        // Keys of phones may be with a server behind, which knows the users who log in here.
        let behind = self.keys_behind && self.fido_uaf.is_none() && self.password.is_some() && demand.realms.is_empty();
        behind || self.fido_uaf.as_ref().is_some_and(named)
    }
}

impl LoginPage for LoginPages {
    fn page(&self, prompt: &LoginPrompt<'_>) -> Result<Response<Bytes>, FilterError> {
        if prompt.domain != self.seal.domain() {
            return Ok(no_login());
        }
        let (status, demand) = (StatusCode::UNAUTHORIZED, prompt.demand);
        // What does not reach the level is not offered: it would go round in circles, or end before this page again.
        let by = match (meets(self.password.as_ref(), demand), meets(self.oob.as_ref(), demand)) {
            (true, true) => By::Any,
            (true, false) => By::Password,
            (false, true) => By::Approval,
            (false, false) if !self.phone_may_meet(demand) => return Ok(no_login()),
            (false, false) => return Ok(self.phone_only(status, prompt.session)),
        };
        let goal = Goal { target: prompt.target.clone(), by };
        let notice = prompt.session.filter(|_| by.password()).map(|_| Notice::Again);
        let page = self.ask(status, prompt.session, &LoginForm { goal: &goal, name: "", notice });
        page.map_err(|error| FilterError::Internal(error.to_string()))
    }
}

impl ForbiddenPage for LoginPages {
    /// It leads to no login by itself; whoever is logged in here finds the way out, since another user may have the role.
    fn forbidden(&self, session: Option<&AuthenticatedSession>) -> Response<Bytes> {
        let who = session.map(|session| format!("You are logged in as <strong>{}</strong>. ", Escaped(&session.name)));
        let is_ours = |session: &&AuthenticatedSession| {
            session.carrier().is_some() && session.domain == self.seal.domain().as_str()
        };
        let way_out = session.filter(is_ours).map(|_| self.way_out()).unwrap_or_default();
        let body = format!(
            "<h1>Not for you</h1><p role=\"alert\">{}This page is for others.</p><p><a href=\"{}\">Back to the \
             start</a></p>{way_out}",
            who.unwrap_or_default(),
            Escaped(self.start.target.as_str())
        );
        html::page(StatusCode::FORBIDDEN, "Not for you", &body)
    }
}

/// Whether a login through the realm is what is demanded. Whose user has the role shows afterwards.
fn meets(realm: Option<&Realm>, demand: &Demand) -> bool {
    let fits = |realm: &Realm| {
        realm.level >= demand.level && (demand.realms.is_empty() || demand.realms.contains(&realm.name))
    };
    realm.is_some_and(fits)
}

#[cfg(test)]
mod tests;
