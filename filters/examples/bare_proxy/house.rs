//! The house that the proxy stands before: which filters its doors have, and what these ask of it. One user and one server
//! are known here, both by heart.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Response};
use sidegate_filters::clock::{Clock, Millis, SystemClock};
use sidegate_filters::delegation::Rule;
use sidegate_filters::identity::{KnownCaller, Login, Role, Session};
use sidegate_filters::identity_creation::{
    Admission, BadToken, CookieSession, Demand, Interception, InternalAccess, InternalCallers, LoginPage, LoginPrompt,
    PassedOn, ReturnTarget, Settings,
};
use sidegate_filters::jws_bypass::{MODIFY_LIMIT, Proof, SKEW, Uses};
use sidegate_filters::memory::{Full, MemoryReplayGuard, MemorySecTokens, MemorySessions, MemoryTargetKeys};
use sidegate_filters::{
    Chain, Client, DelegationFilter, Exchange, FilterError, IdentityCreationFilter, JwsBypassFilter, PathTemplate,
    RemovedHeaders, SessionDomain,
};

/// The doors.
pub(crate) struct Doors {
    /// Whoever has a session or is a known server, and the application is told who it is.
    known: Chain,
    /// Whoever has the key of a target, for a change of that target.
    signed: Chain,
    /// The headers that only we may set.
    pub(crate) removed: RemovedHeaders,
    /// Where targets are.
    targets: PathTemplate,
}

impl Doors {
    pub(crate) fn new(keys: Arc<MemoryTargetKeys>) -> Result<Self, Box<dyn Error>> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let house = Arc::new(House);
        let settings = Settings {
            domain: SessionDomain::parse("main")?,
            admission: Admission::Session(Demand::default()),
            internal: InternalAccess::Anybody,
            interception: Interception::Never,
            start: ReturnTarget::start(),
            passed_on: PassedOn::default(),
        };
        let cookie = Arc::new(CookieSession::new(settings.domain.clone(), Arc::new(sessions()?)));
        let identity = IdentityCreationFilter::new(settings, vec![cookie], house.clone(), house, clock.clone());
        let rules = ["AUTH:user.auth.LoginId:X-User", "CALLER:name:X-Caller"];
        let rules = rules.iter().map(|rule| Rule::parse(rule, &|_| None)).collect::<Result<Vec<_>, _>>()?;
        let removed: RemovedHeaders = rules.iter().map(Rule::header).collect();
        let delegation =
            DelegationFilter::new(rules, "application".to_owned(), &removed, Arc::new(MemorySecTokens::new(1)))?;
        let replays = Arc::new(MemoryReplayGuard::new(10_000, clock.clone()));
        let uses = Arc::new(Uses::new(replays, clock, MODIFY_LIMIT));
        let bypass = JwsBypassFilter::new(Proof::Keys(keys), uses, SKEW);
        Ok(Self {
            known: Chain::new(vec![Arc::new(identity), Arc::new(delegation)]),
            signed: Chain::new(vec![Arc::new(bypass)]),
            removed,
            targets: PathTemplate::parse("/targets/{id}")?,
        })
    }

    /// The door that a request stands at, with the parameters of its path.
    pub(crate) fn find(&self, exchange: &mut Exchange) -> &Chain {
        match self.targets.matches(&exchange.path).filter(|_| exchange.method == Method::PATCH) {
            None => &self.known,
            Some(params) => {
                exchange.params = params;
                &self.signed
            }
        }
    }
}

/// The one session there is.
fn sessions() -> Result<MemorySessions, Full> {
    let sessions = MemorySessions::new(1);
    let session = Session {
        sid: "s-1".to_owned(),
        domain: "main".to_owned(),
        ext_id: "e-1".to_owned(),
        name: "jeff".to_owned(),
        logins: Login { realm: "password".to_owned(), level: 1, at: Millis(0) }.into(),
        roles: Vec::new(),
        generation: 0,
    };
    sessions.begin("jeffs-session", session).map(|()| sessions)
}

struct House;

#[async_trait]
impl InternalCallers for House {
    async fn find(&self, bearer: &str, _: &Client) -> Result<Result<KnownCaller, BadToken>, FilterError> {
        let known =
            (bearer == "shop-secret").then(|| KnownCaller { name: "shop".to_owned(), roles: vec![Role::ActFor] });
        Ok(known.ok_or(BadToken("it is not the shop's")))
    }
}

/// Never asked for: nothing is intercepted.
impl LoginPage for House {
    fn page(&self, _: &LoginPrompt<'_>) -> Result<Response<Bytes>, FilterError> {
        Err(FilterError::Unavailable("the login page"))
    }
}
