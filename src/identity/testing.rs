//! What the tests of services with sessions share: users in memory, and a session as the filter would attach it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use sidegate_filters::clock::{Clock, ManualClock, Millis};
use sidegate_filters::identity_creation::{
    Admission, CookieSession, IdentityCreationFilter, ReturnTarget, Sessions, Settings,
};
use sidegate_filters::memory::{self, MemoryCallers};
use sidegate_filters::path::CanonicalPath;
use sidegate_filters::{
    AuthenticatedSession, Caller, Client, Exchange, Filter, KnownCaller, Role, SessionDomain, Verdict,
};
use zeroize::Zeroizing;

use super::sessions::{self, DomainSessions, Realm};
use super::throttle::Bucket;
use super::{ConfiguredCallers, LoginPages, Paces, Throttle, return_field::ReturnSeal};
use crate::jose::MacKey;
use crate::store::embedded::Embedded;
use crate::store::memory::{Budget, MemorySessions};
use crate::store::operation::Authenticator;
use crate::store::users::{Costs, PasswordHash, PasswordStamp};
use crate::store::{self, Credentials, Eras, ExtId, StoreError, User, UserError, Users};

/// Users in memory; without its flag `up` it fails.
pub(crate) struct TestUsers {
    pub(crate) users: Mutex<Vec<User>>,
    pub(crate) up: Mutex<bool>,
}

impl TestUsers {
    pub(crate) fn new(names: &[&str]) -> Arc<Self> {
        let user = |name: &&str| User {
            name: (*name).to_owned(),
            ext_id: ExtId::from(format!("ext-{name}")),
            password: PasswordHash::of(format!("{name}'s password").as_bytes()).unwrap(),
            roles: Vec::new(),
        };
        Arc::new(Self { users: Mutex::new(names.iter().map(user).collect()), up: Mutex::new(true) })
    }

    pub(crate) fn get(&self, name: &str) -> User {
        self.users.lock().unwrap().iter().find(|user| user.name == name).unwrap().clone()
    }

    fn find(&self, fits: impl Fn(&User) -> bool) -> Result<Option<User>, StoreError> {
        if !*self.up.lock().unwrap() {
            return Err(StoreError::Unavailable("test".into()));
        }
        Ok(self.users.lock().unwrap().iter().find(|user| fits(user)).cloned())
    }
}

#[async_trait]
impl Users for TestUsers {
    async fn by_name(&self, name: &str) -> Result<Option<User>, StoreError> {
        self.find(|user| user.name == name)
    }

    async fn by_ext_id(&self, ext_id: &ExtId) -> Result<Option<User>, StoreError> {
        self.find(|user| user.ext_id == *ext_id)
    }

    async fn password_stamp(&self, ext_id: &ExtId) -> Result<Option<PasswordStamp>, StoreError> {
        Ok(self.by_ext_id(ext_id).await?.map(|user| user.password.stamp()))
    }

    async fn roles(&self, ext_id: &ExtId) -> Result<Vec<String>, StoreError> {
        Ok(self.by_ext_id(ext_id).await?.map(|user| user.roles).unwrap_or_default())
    }

    async fn costs(&self) -> Result<Costs, StoreError> {
        let mut costs = Costs::default();
        for user in self.users.lock().unwrap().iter() {
            costs.add(user.password.cost()).unwrap();
        }
        Ok(costs)
    }

    async fn list(&self) -> Result<Vec<User>, StoreError> {
        Ok(self.users.lock().unwrap().clone())
    }

    async fn add(&self, name: &str, password: PasswordHash) -> Result<User, UserError> {
        let user = User { name: name.to_owned(), ext_id: ExtId::random(), password, roles: Vec::new() };
        self.users.lock().unwrap().push(user.clone());
        Ok(user)
    }

    async fn set_password(&self, name: &str, password: PasswordHash) -> Result<Option<User>, UserError> {
        let mut users = self.users.lock().unwrap();
        let user = users.iter_mut().find(|user| user.name == name);
        Ok(user.map(|user| {
            user.password = password;
            user.clone()
        }))
    }

    async fn set_roles(&self, name: &str, roles: Vec<String>) -> Result<Option<User>, UserError> {
        let mut users = self.users.lock().unwrap();
        let user = users.iter_mut().find(|user| user.name == name);
        Ok(user.map(|user| {
            user.roles = roles;
            user.clone()
        }))
    }

    async fn removed(&self) -> Result<BTreeSet<ExtId>, StoreError> {
        Ok(BTreeSet::new())
    }

    async fn remove(&self, name: &str) -> Result<Option<User>, UserError> {
        let mut users = self.users.lock().unwrap();
        let position = users.iter().position(|user| user.name == name);
        Ok(position.map(|position| users.remove(position)))
    }
}

/// A domain `main` with users jeff and eve.
pub(crate) struct TestDomain {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) users: Arc<TestUsers>,
    pub(crate) sessions: Arc<DomainSessions>,
    pub(crate) eras: Eras,
    pub(crate) durable: Arc<Embedded>,
    _folder: tempfile::TempDir,
}

pub(crate) fn realm(name: &str, level: u8, renew: bool) -> Realm {
    Realm { name: name.to_owned(), level, renew }
}

pub(crate) fn domain() -> TestDomain {
    domain_with(|sessions| sessions)
}

/// The same over another store of sessions, made of the one that it has.
pub(crate) fn domain_with(over: impl FnOnce(Arc<dyn store::Sessions>) -> Arc<dyn store::Sessions>) -> TestDomain {
    let clock = Arc::new(ManualClock::new(Millis(1_000_000_000)));
    let users = TestUsers::new(&["jeff", "eve"]);
    let store = MemorySessions::new(Budget::new(1 << 24, 5), Arc::clone(&clock) as Arc<dyn Clock>);
    let folder = tempfile::tempdir().unwrap();
    let time = Arc::clone(&clock) as Arc<dyn Clock>;
    let durable = Arc::new(Embedded::open(&folder.path().join("db"), Arc::clone(&time)).unwrap());
    let eras = Eras { users: users.clone(), sessions: over(Arc::new(store)), belongings: durable.clone() };
    let settings = sessions::Settings {
        domain: SessionDomain::parse("main").unwrap(),
        idle: Duration::from_secs(30 * 60),
        absolute: Duration::from_secs(8 * 3600),
    };
    let sessions = Arc::new(DomainSessions::new(settings, eras.clone(), time));
    TestDomain { clock, users, sessions, eras, durable, _folder: folder }
}

impl TestDomain {
    pub(crate) fn pages(&self) -> Arc<LoginPages> {
        let key = MacKey::new(&Zeroizing::new([7; 32])).unwrap();
        let seal = ReturnSeal::new(key, self.sessions.domain().clone(), Duration::from_secs(3600));
        let start = ReturnTarget::parse("/home").unwrap();
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let pages = LoginPages::new(seal, start, Some(realm("password", 1, true)), clock);
        Arc::new(pages.with_phones(Some("fido-uaf".to_owned())))
    }

    /// A throttle that takes so many failures of a network.
    pub(crate) fn throttle(&self, free: u32) -> Arc<Throttle> {
        let network = Bucket { holds: free, drains_one_in: Duration::from_secs(1), parallel: 8 };
        let paces = Paces { network, ..Paces::default() };
        Arc::new(Throttle::new(paces, Arc::clone(&self.clock) as Arc<dyn Clock>))
    }

    /// The session behind a cookie (`name=value`), as a request with it finds it on an open route.
    pub(crate) async fn session(&self, cookie: &str) -> Option<AuthenticatedSession> {
        let mut exchange = exchange(Method::GET, &[("cookie", cookie)]);
        self.admit(&mut exchange).await;
        if let Caller::User(session) = exchange.caller { Some(session) } else { None }
    }

    /// Lets an exchange through the identity-creation filter of an open route.
    pub(crate) async fn admit(&self, exchange: &mut Exchange) {
        assert!(matches!(self.filter().request(exchange, &mut Bytes::new()).await, Ok(Verdict::Pass)));
    }

    /// That filter.
    pub(crate) fn filter(&self) -> Arc<dyn Filter> {
        let settings = Settings { admission: Admission::Open, ..Settings::new(self.sessions.domain().clone()) };
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let callers = Arc::new(ConfiguredCallers::new(Vec::new(), Vec::new(), clock.clone()).unwrap());
        let cookie = CookieSession::new(settings.domain.clone(), Arc::clone(&self.sessions) as Arc<dyn Sessions>);
        Arc::new(IdentityCreationFilter::new(settings, vec![Arc::new(cookie)], callers, self.pages(), clock))
    }

    /// A key of the user that is on record.
    pub(crate) async fn key(&self, name: &str, number: u8) -> Authenticator {
        let key = store::contract::credentials::credential(&format!("ext-{name}"), "FFFF#0001", number);
        self.durable.add_all(vec![key.clone()], None).await.unwrap();
        Authenticator { aaid: key.key.aaid().to_owned(), key_id: String::new(), ext_id: key.ext_id }
    }

    /// Logs a user in; gives back `name=value` for the next request.
    pub(crate) async fn login(&self, name: &str, realm: &Realm, cookie: Option<&str>) -> Option<String> {
        self.login_by(name, realm, &[], cookie).await
    }

    /// The same with these keys.
    pub(crate) async fn login_by(
        &self,
        name: &str,
        realm: &Realm,
        keys: &[Authenticator],
        cookie: Option<&str>,
    ) -> Option<String> {
        let presented = match cookie {
            Some(cookie) => self.session(cookie).await,
            None => None,
        };
        let attempt = self.sessions.attempt(&self.users.get(name)).await.unwrap().proven_by(keys);
        let done = self.sessions.login(attempt, realm, presented.as_ref(), true).await.unwrap();
        done.set_cookie.map(|field| pair(&field))
    }
}

/// An internal caller, as a request with its bearer finds it.
pub(crate) fn internal(name: &str, roles: &[Role]) -> Caller {
    let known = KnownCaller { name: name.to_owned(), roles: roles.to_vec() };
    let (bearer, domain) = ("its-bearer", SessionDomain::parse("main").unwrap());
    let callers = Arc::new(MemoryCallers::from([(bearer, known)]));
    let filter = IdentityCreationFilter::plain(domain, Arc::new(memory::MemorySessions::new(0)), callers);
    let mut exchange = exchange(Method::GET, &[("authorization", &format!("Bearer {bearer}"))]);
    exchange.client.internal = true;
    assert!(matches!(futures::executor::block_on(filter.request(&mut exchange, &mut Bytes::new())), Ok(Verdict::Pass)));
    exchange.caller
}

/// `name=value` of a `Set-Cookie`.
pub(crate) fn pair(field: &HeaderValue) -> String {
    field.to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// A request for `/app` over TLS from 192.0.2.1.
pub(crate) fn exchange(method: Method, fields: &[(&str, &str)]) -> Exchange {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = header::HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    let client = Client::new([192, 0, 2, 1].into(), "https://gate.example");
    Exchange::new("r".into(), method, CanonicalPath::parse("/app").unwrap(), headers, client)
}
