//! The pages of a login that the phone approves: who asks for it, and what is to be done meanwhile.

use bytes::Bytes;
use http::{Response, StatusCode};
use sidegate_filters::identity::Session;

use super::html::{self, Escaped};
use super::{LoginForm, LoginPages, Notice};
use crate::jose::CryptoError;

/// Goes on without the password, from the form for it.
pub(super) fn button(path: &str) -> String {
    format!("<button type=\"submit\" formaction=\"{path}/oob\" formnovalidate>Approve on my phone</button>")
}

/// So many seconds pass before the browser asks again whether the phone has approved.
const AGAIN: u8 = 3;

impl LoginPages {
    /// Asks whose phone is to approve.
    pub(super) fn approval_form(
        &self,
        status: StatusCode,
        form: &LoginForm<'_>,
    ) -> Result<Response<Bytes>, CryptoError> {
        let fields = format!(
            "<label for=\"user\">User name</label><input id=\"user\" name=\"isiwebuserid\" value=\"{}\" \
             autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required autofocus>",
            Escaped(form.name)
        );
        self.asking(status, form, &Notice::paragraph(form.notice), &fields)
    }

    /// Asks whoever is logged in to go on with the phone. There is no other name to be typed: the session is raised.
    pub(super) fn confirmation(
        &self,
        status: StatusCode,
        session: &Session,
        form: &LoginForm<'_>,
    ) -> Result<Response<Bytes>, CryptoError> {
        let name = Escaped(&session.name);
        let text = format!(
            "{}<p>You are logged in as <strong>{name}</strong>. To go on, please confirm on your phone that it is you.</p>",
            Notice::paragraph(form.notice)
        );
        self.asking(status, form, &text, "")
    }

    /// Leads to the phone, and looks again by itself; without a link once the phone has it.
    #[must_use]
    pub fn approval(&self, link: Option<&str>) -> Response<Bytes> {
        let what = match link {
            Some(link) => format!(
                "<p>Open this link on your phone, and approve the login there.</p>\
                 <p><a href=\"{}\">Open the app</a></p>",
                Escaped(link)
            ),
            None => "<p>Your phone asks you now. Approve the login there.</p>".to_owned(),
        };
        let body = format!(
            "<h1>Approve on your phone</h1>{what}<p>This page goes on by itself. Approve only what you have begun \
             yourself, just now, in this browser.</p><p><a href=\"{}\">Back to the start</a></p>",
            Escaped(self.start.target.as_str())
        );
        html::renewed_page(AGAIN, "Approve on your phone", &body)
    }

    fn asking(
        &self,
        status: StatusCode,
        form: &LoginForm<'_>,
        text: &str,
        fields: &str,
    ) -> Result<Response<Bytes>, CryptoError> {
        let field = self.seal.seal(form.goal, self.clock.now())?;
        let body = format!(
            "<h1>Log in with your phone</h1>{text}<form method=\"post\" action=\"{}/oob\">\
             <input type=\"hidden\" name=\"return\" value=\"{field}\">{fields}\
             <button type=\"submit\">Approve on my phone</button></form>",
            self.path
        );
        Ok(html::page(status, "Log in with your phone", &body))
    }
}
