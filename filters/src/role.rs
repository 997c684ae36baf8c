//! RoleFilter: of those who are known, some may go on (`gateway.md` 3).
//!
//! Whoever is refused was authenticated, or may not be: a login would not help, so none is offered, and nobody is led
//! round in circles.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Response, StatusCode};

use crate::audit::Event;
use crate::body::BodySource;
use crate::exchange::Exchange;
use crate::filter::{Filter, FilterError, Verdict};
use crate::identity::{AuthenticatedSession, Caller, Session};
use crate::identity_creation::{Interception, InternalAccess, accepts_html};
use crate::reason::Reason;
use crate::reply::{Problem, Reply};

/// Who goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleDemand {
    /// A user has one of these; empty: any user.
    pub one_of: Vec<String>,
    /// And all of these.
    pub all_of: Vec<String>,
    /// Which internal callers go on. Their roles are others than those of users, whatever they are called.
    pub internal: InternalAccess,
}

impl RoleDemand {
    fn is_met_by(&self, session: &Session) -> bool {
        let has = |role: &String| session.roles.contains(role);
        (self.one_of.is_empty() || self.one_of.iter().any(has)) && self.all_of.iter().all(has)
    }
}

impl fmt::Display for RoleDemand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = (!self.one_of.is_empty()).then(|| self.one_of.join(" or "));
        let all = (!self.all_of.is_empty()).then(|| self.all_of.join(" and "));
        let demands: Vec<String> = one.into_iter().chain(all).collect();
        write!(out, "users with role {}; {}", demands.join(", and "), self.internal)
    }
}

/// Makes the page for a browser whose user lacks the role.
pub trait ForbiddenPage: Send + Sync {
    /// The page, with status 403; `session` is the user's, if one is logged in.
    fn forbidden(&self, session: Option<&AuthenticatedSession>) -> Response<Bytes>;
}

/// The filter `role`. Mount it behind one that finds out who is calling: without, nobody passes.
pub struct RoleFilter {
    demand: RoleDemand,
    interception: Interception,
    page: Arc<dyn ForbiddenPage>,
}

impl RoleFilter {
    /// The filter for one route.
    #[must_use]
    pub fn new(demand: RoleDemand, interception: Interception, page: Arc<dyn ForbiddenPage>) -> Self {
        Self { demand, interception, page }
    }

    fn refuse(&self, exchange: &Exchange) -> Reply {
        let (session, reason, detail) = match &exchange.caller {
            Caller::User(session) => (Some(session), Reason::Role, "the user lacks a role that the route needs"),
            Caller::Internal(caller) => {
                Event::InternalCallerForbidden { caller: &caller.name }.record();
                (None, Reason::CallerRole, "this internal caller lacks the role that the route needs")
            }
            Caller::Anonymous => (None, Reason::NoCredential, "the route needs a role, and nobody is logged in"),
        };
        if self.interception == Interception::Auto && accepts_html(&exchange.headers) {
            return Reply::refusal(self.page.forbidden(session), reason);
        }
        Problem::new(StatusCode::FORBIDDEN, detail).because(reason).into()
    }
}

#[async_trait]
impl Filter for RoleFilter {
    fn name(&self) -> &'static str {
        "role"
    }

    fn settings(&self) -> String {
        self.demand.to_string()
    }

    async fn request(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        let passes = match &exchange.caller {
            Caller::User(session) => self.demand.is_met_by(session),
            Caller::Internal(caller) => self.demand.internal.admits(caller),
            Caller::Anonymous => false,
        };
        if passes { Ok(Verdict::Pass) } else { Ok(Verdict::Answer(self.refuse(exchange))) }
    }
}

#[cfg(test)]
mod tests {
    use http::header;
    use rstest::rstest;

    use super::*;
    use crate::identity::Role;
    use crate::testing::{exchange, fields, jeff_with, reply, run, service};

    struct Page;

    impl ForbiddenPage for Page {
        fn forbidden(&self, session: Option<&AuthenticatedSession>) -> Response<Bytes> {
            let mut page = Response::new(session.map_or_else(Bytes::new, |session| session.name.clone().into()));
            *page.status_mut() = StatusCode::FORBIDDEN;
            page
        }
    }

    fn demand(one_of: &[&str], all_of: &[&str], internal: InternalAccess) -> RoleDemand {
        let owned = |roles: &[&str]| roles.iter().map(ToString::to_string).collect();
        RoleDemand { one_of: owned(one_of), all_of: owned(all_of), internal }
    }

    fn filter(demand: RoleDemand, interception: Interception) -> RoleFilter {
        RoleFilter::new(demand, interception, Arc::new(Page))
    }

    #[rstest]
    #[case::one(&["staff", "boss"], &[], &["boss"], 200)]
    #[case::none_of_them(&["staff", "boss"], &[], &["guest"], 403)]
    #[case::no_role(&["staff"], &[], &[], 403)]
    #[case::nearly_the_role(&["staff"], &[], &["STAFF", "staff ", "staffer", "staf"], 403)]
    #[case::two_in_one(&["staff", "boss"], &[], &["staff,boss"], 403)]
    #[case::all(&[], &["staff", "zurich"], &["zurich", "x", "staff"], 200)]
    #[case::some_of_all(&[], &["staff", "zurich"], &["staff"], 403)]
    #[case::both(&["boss", "clerk"], &["zurich"], &["clerk", "zurich"], 200)]
    #[case::one_without_all(&["boss", "clerk"], &["zurich"], &["clerk"], 403)]
    #[case::all_without_one(&["boss", "clerk"], &["zurich"], &["zurich"], 403)]
    #[tokio::test]
    async fn roles_of_a_user_decide(
        #[case] one_of: &[&str],
        #[case] all_of: &[&str],
        #[case] has: &[&str],
        #[case] status: u16,
    ) {
        let filter = filter(demand(one_of, all_of, InternalAccess::Anybody), Interception::Auto);
        assert_eq!(run(filter, exchange(jeff_with(has)), "").await.0, status);
    }

    #[rstest]
    #[case(InternalAccess::Nobody, &[Role::Admin, Role::ActFor], 403)]
    #[case(InternalAccess::Anybody, &[], 200)]
    #[case(InternalAccess::With(Role::Admin), &[Role::Admin], 200)]
    #[case(InternalAccess::With(Role::Admin), &[Role::ActFor], 403)]
    #[tokio::test]
    async fn internal_callers_have_roles_of_their_own(
        #[case] internal: InternalAccess,
        #[case] roles: &[Role],
        #[case] status: u16,
    ) {
        let of_users = demand(&["admin", "act-for"], &[], internal);
        assert_eq!(run(filter(of_users, Interception::Auto), exchange(service(roles)), "").await.0, status);
    }

    #[tokio::test]
    async fn a_users_role_is_no_internal_callers() {
        let filter = filter(demand(&["staff"], &[], InternalAccess::With(Role::Admin)), Interception::Auto);
        assert_eq!(run(filter, exchange(jeff_with(&["admin"])), "").await.0, 403);
    }

    #[tokio::test]
    async fn who_is_not_known_does_not_pass() {
        let filter = filter(demand(&["staff"], &[], InternalAccess::Anybody), Interception::Auto);
        assert_eq!(run(filter, exchange(Caller::Anonymous), "").await.0, 403);
    }

    #[rstest]
    #[case(Interception::Auto, "text/html", Some("jeff"))]
    #[case(Interception::Auto, "application/json", None)]
    #[case(Interception::Never, "text/html", None)]
    #[tokio::test]
    async fn a_browser_sees_a_page_and_no_login(
        #[case] interception: Interception,
        #[case] accept: &str,
        #[case] page: Option<&str>,
    ) {
        let filter = filter(demand(&["staff"], &[], InternalAccess::Nobody), interception);
        let mut exchange = exchange(jeff_with(&["guest"]));
        exchange.headers = fields(&[("accept", accept)]);
        let answer = reply(filter, exchange, b"").await.unwrap();
        assert_eq!(answer.status(), 403);
        let shown = if let Reply::Response(page) = &answer { Some(page.body().as_ref()) } else { None };
        assert_eq!(shown, page.map(str::as_bytes));
        let answer = answer.into_response("r");
        assert!(!answer.headers().contains_key(header::WWW_AUTHENTICATE));
        assert!(!answer.headers().contains_key(header::LOCATION));
    }

    #[rstest]
    #[case(&["staff", "boss"], &[], "users with role staff or boss; no internal caller")]
    #[case(&[], &["a", "b"], "users with role a and b; no internal caller")]
    #[case(&["staff", "boss"], &["zurich"], "users with role staff or boss, and zurich; no internal caller")]
    fn it_is_told(#[case] one_of: &[&str], #[case] all_of: &[&str], #[case] told: &str) {
        assert_eq!(filter(demand(one_of, all_of, InternalAccess::Nobody), Interception::Auto).settings(), told);
    }
}
