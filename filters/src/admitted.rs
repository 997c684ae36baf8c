//! A request that a chain let pass: what goes on of it, and what comes back (`gateway.md` 2.3).

use std::ops::Deref;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request, response};

use crate::caching;
use crate::chain::Chain;
use crate::delegation::RemovedHeaders;
use crate::exchange::Exchange;
use crate::identity_creation::{foreign_cookies, sets_session_cookie, shows_bearer, shows_session_token};
use crate::reply::Problem;

impl Exchange {
    /// Whether a client's field goes no further as it came: a filter took it out, its name is only ours to say, or it shows
    /// us who calls. Of cookies others than ours go on, in one field ([`foreign_cookies`]).
    #[must_use]
    pub fn keeps_back(&self, name: &HeaderName, removed: &RemovedHeaders) -> bool {
        let is_taken_out = !self.headers.contains_key(name) || removed.keep_back(name);
        is_taken_out || *name == header::COOKIE || *name == header::AUTHORIZATION && self.shows_us_a_token()
    }

    /// On an internal listener every bearer is meant for us, whether a filter asked for it or none did; and so is a session
    /// token everywhere.
    fn shows_us_a_token(&self) -> bool {
        self.client.internal && shows_bearer(&self.headers) || shows_session_token(&self.headers)
    }
}

/// A request that passed, and goes to its destination now: only [`Chain::admit`] makes one.
pub struct Admitted {
    chain: Chain,
    exchange: Exchange,
}

impl Admitted {
    pub(crate) fn new(chain: Chain, exchange: Exchange) -> Self {
        Self { chain, exchange }
    }

    /// The client's head made into what goes on: the path that was matched, the fields that are left without any that only
    /// we may set, such as these, and then ours. Nothing of it belongs to the client's connection.
    ///
    /// # Errors
    /// When it can't be written: a fault of ours.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use bytes::Bytes;
    /// use http::{HeaderName, Request};
    /// use sidegate_filters::{Chain, Client, Exchange, RemovedHeaders};
    ///
    /// let head = Request::get("/%61ccount?x=1").header("X_User", "root").header("Cookie", "a=b; sidegate-main=s");
    /// let head = head.body(()).unwrap().into_parts().0;
    /// let exchange = Exchange::receive("r-1", &head, Client::new([127, 0, 0, 1].into(), "http://gate.example")).unwrap();
    /// let admitted = Chain::default().admit(exchange, &mut Bytes::new()).await.unwrap();
    /// let removed = RemovedHeaders::from_iter(&[HeaderName::from_static("x-user")]);
    /// let onward = admitted.forwarded(head, &removed).unwrap();
    /// assert_eq!(onward.uri, "/account?x=1");
    /// assert!(onward.headers.len() == 1 && onward.headers["cookie"] == "a=b");
    /// # });
    /// ```
    pub fn forwarded(&self, mut head: request::Parts, removed: &RemovedHeaders) -> Result<request::Parts, Problem> {
        let target = self.path.with_query(self.query.as_deref());
        head.uri = target.parse().map_err(|_| Problem::internal())?;
        let goes_on = self.headers.iter().filter(|(name, _)| !self.keeps_back(name, removed));
        let mut headers: HeaderMap = goes_on.map(|(name, value)| (name.clone(), value.clone())).collect();
        headers.extend(foreign_cookies(&self.headers).map(|cookies| (header::COOKIE, cookies)));
        for (name, _) in &self.upstream_headers {
            headers.remove(name);
        }
        for (name, value) in &self.upstream_headers {
            headers.append(name.clone(), value.clone());
        }
        head.headers = headers;
        Ok(head)
    }

    /// Tells the filters how the destination answered, and makes the head of its answer into one that the client may get:
    /// changed as the filters say, kept by no cache but the caller's own where it is for a caller who is known, and without
    /// a session of ours from anybody else.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use sidegate_filters::{Chain, Client, Exchange};
    ///
    /// let head = Request::get("/account").body(()).unwrap().into_parts().0;
    /// let exchange = Exchange::receive("r-1", &head, Client::new([127, 0, 0, 1].into(), "http://gate.example")).unwrap();
    /// let admitted = Chain::default().admit(exchange, &mut Bytes::new()).await.unwrap();
    /// let answer = Response::builder().header("Set-Cookie", "sidegate-main=s").header("Set-Cookie", "a=b");
    /// let answer = admitted.answered(answer.body(()).unwrap().into_parts().0).await;
    /// assert_eq!(answer.headers.get_all("Set-Cookie").iter().collect::<Vec<_>>(), ["a=b"]);
    /// # });
    /// ```
    pub async fn answered(&self, mut head: response::Parts) -> response::Parts {
        // What comes before an answer tells nothing of what was done.
        if !head.status.is_informational() {
            self.chain.response(self, head.status).await;
        }
        let headers = &mut head.headers;
        self.answer_changes.iter().for_each(|change| change.make(headers));
        keep_sessions(headers);
        // A cookie is cleared for this client alone: from a shared cache that would end the sessions of others.
        let cleared = self.dead_cookie.as_ref().filter(|_| head.status == StatusCode::UNAUTHORIZED);
        if self.personal || cleared.is_some() {
            caching::keep_personal(headers);
        }
        if let Some(cleared) = cleared {
            headers.append(header::SET_COOKIE, cleared.clone());
        }
        head
    }
}

/// Nobody but us sets a cookie that may be a session of ours.
fn keep_sessions(headers: &mut HeaderMap) {
    let cookies = headers.get_all(header::SET_COOKIE).iter();
    let others: Vec<HeaderValue> = cookies.filter(|cookie| !sets_session_cookie(cookie)).cloned().collect();
    headers.remove(header::SET_COOKIE);
    headers.extend(others.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
}

impl Deref for Admitted {
    type Target = Exchange;

    fn deref(&self) -> &Exchange {
        &self.exchange
    }
}

impl From<Admitted> for Exchange {
    fn from(admitted: Admitted) -> Self {
        admitted.exchange
    }
}

#[cfg(test)]
mod tests;
