//! A gateway as it is composed for serving, asked without its listeners: one user who has a session, a UAF key and a
//! phone that is a dispatch target.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use sidegate::cli::compose::{Composed, compose};
use sidegate::config::{Config, Environment, Overrides, STANDALONE, Source, load};
use sidegate::jose::DecryptionKey;
use sidegate::oob::bypass::StoredTargetKeys;
use sidegate::routes::{Destination, ListenerClass, Route};
use sidegate::store::users::PasswordHash;
use sidegate_filters::clock::{Clock as _, SystemClock};
use sidegate_filters::jws::{EcCurve, KeyKind};
use sidegate_filters::jws_bypass::{JwsBypassFilter, Proof, SKEW, Uses};
use sidegate_filters::memory::MemoryReplayGuard;
use sidegate_filters::rate::Limit;
use sidegate_filters::{CanonicalPath, Client, Exchange, Filter as _, Params, Reply, Verdict};
use sidegate_uaf::authenticator::Authenticator;
use sidegate_uaf::wire::RegistrationRequest;

use super::Failure;
use super::attacks::{Attack, GOOD, Key, Victim};

const PASSWORD: &str = "a-password-of-jeff";
const TARGETS: &str = "/nevisfido/token/dispatch/targets";
/// More signed changes than a run sends.
const REPLAYS: usize = 5_000_000;
/// The limits of strangers' shares do not count here, and an application stands behind a row with both filters.
const APPLICATION: &str = "
limits: {operations: 4GiB, anonymous-share: 100%}
filters:
  customers: {type: identity-creation, domain: main}
  tell-who: {type: delegation, rules: ['AUTH:user.auth.SecToken:Authorization', 'AUTH:user.auth.UserId:X-User']}
upstreams:
  shop: {url: 'http://127.0.0.1:9'}
routes:
  - {name: shop, path: /shop/*, methods: [GET], filters: [customers, tell-who], upstream: shop}
";

/// The house.
pub(crate) struct House {
    runtime: tokio::runtime::Runtime,
    composed: Composed,
    bypass: JwsBypassFilter,
    bearer: HeaderValue,
    cookie: HeaderValue,
    target: String,
    signing: Key,
    _folder: tempfile::TempDir,
}

/// A request.
pub(crate) struct Ask {
    on: ListenerClass,
    method: Method,
    path: String,
    field: Option<(HeaderName, HeaderValue)>,
    body: String,
}

impl House {
    pub(crate) fn build() -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let folder = tempfile::tempdir()?;
        let config = config(&folder)?;
        let composed = runtime.block_on(compose(&config))?;
        let caller = config.internal_callers.first().ok_or("no internal caller")?;
        let token = std::fs::read_to_string(config.data.join(caller.made_bearer()))?;
        let mut house = Self {
            bypass: bypass(&composed),
            bearer: HeaderValue::try_from(format!("Bearer {}", token.trim()))?,
            cookie: HeaderValue::from_static(""),
            target: String::new(),
            signing: Key::p256(),
            runtime,
            composed,
            _folder: folder,
        };
        house.log_in()?;
        house.register()?;
        house.add_target()?;
        Ok(house)
    }

    fn log_in(&mut self) -> Result<(), Failure> {
        self.runtime.block_on(self.composed.users.add("jeff", PasswordHash::of(PASSWORD.as_bytes())?))?;
        let body = format!("isiwebuserid=jeff&isiwebpasswd={PASSWORD}");
        let reply = self.serve(Ask { on: ListenerClass::Public, field: None, ..self.internal("/auth/pwd", body) })?;
        let Reply::Response(response) = reply else { return Err("jeff could not log in".into()) };
        let field = response.headers().get(SET_COOKIE).ok_or("no cookie")?.to_str()?;
        self.cookie = HeaderValue::from_str(field.split(';').next().unwrap_or_default())?;
        Ok(())
    }

    fn register(&self) -> Result<(), Failure> {
        let ask = json!({"context": r#"{"username":"jeff"}"#}).to_string();
        let request = self.json(self.internal("/nevisfido/uaf/1.1/request/registration", ask))?;
        let request = RegistrationRequest::from_message(text(&request, "uafRequest")?)?;
        let (response, _) = Authenticator::new("D0D0#0001".parse()?).register(&request, &[])?;
        let answer = json!({"uafResponse": response.to_message()}).to_string();
        let answer =
            Ask { on: ListenerClass::Public, field: None, ..self.internal("/nevisfido/uaf/1.1/registration", answer) };
        let done = self.json(answer)?;
        if done.get("statusCode") == Some(&json!(1200)) { Ok(()) } else { Err("the key was not registered".into()) }
    }

    fn add_target(&mut self) -> Result<(), Failure> {
        let encryption = DecryptionKey::generate(KeyKind::Ec(EcCurve::P256))?;
        let new = json!({
            "username": "jeff", "name": "phone", "dispatcher": "link", "target": "a-push-address",
            "signatureKey": self.signing.public(), "encryptionKey": encryption.public_jwk(),
        });
        let added = self.json(self.internal(TARGETS, new.to_string()))?;
        self.target = text(&added, "id")?.to_owned();
        Ok(())
    }

    /// Has a request answered as a listener would, but for the reading and writing.
    pub(crate) fn serve(&self, ask: Ask) -> Result<Reply, Failure> {
        let path = CanonicalPath::parse(&ask.path)?;
        let found = self.composed.router.find(ask.on, &ask.method, &path).map_err(|_| "no such row")?;
        let exchange = ask.exchange(found.path, found.params);
        self.runtime.block_on(async {
            let admitted = match found.route.filters.admit(exchange, &mut Bytes::new()).await {
                Ok(admitted) => admitted,
                Err(reply) => return Ok(reply),
            };
            match &found.route.destination {
                Destination::Local(endpoint) => Ok(endpoint.answer(admitted.into()).await),
                Destination::Upstream(_) => Err("its answer is elsewhere".into()),
            }
        })
    }

    fn json(&self, ask: Ask) -> Result<Value, Failure> {
        match self.serve(ask)? {
            Reply::Response(response) => Ok(serde_json::from_slice(response.body())?),
            Reply::Problem(problem) => Err(format!("{}: {}", problem.status, problem.detail).into()),
        }
    }

    /// Whether it is answered with 200.
    pub(crate) fn is_done(&self, ask: Ask) -> bool {
        self.serve(ask).is_ok_and(|reply| reply.status() == StatusCode::OK)
    }

    fn internal(&self, path: &str, body: String) -> Ask {
        let field = Some((AUTHORIZATION, self.bearer.clone()));
        Ask { on: ListenerClass::Internal, method: Method::POST, path: path.to_owned(), field, body }
    }

    /// A request of the bank to have an authentication dispatched by link, encrypted if it names the target.
    pub(crate) fn dispatch(&self, to_target: bool) -> Ask {
        let target = to_target.then_some(&self.target);
        let body = json!({
            "dispatcher": "link", "dispatchTargetId": target, "getUafRequest": {"context": r#"{"username":"jeff"}"#},
        });
        self.internal("/nevisfido/token/dispatch/authentication", body.to_string())
    }

    /// The phone's request to redeem a new token.
    pub(crate) fn redeem(&self) -> Result<Ask, Failure> {
        let dispatched = self.json(self.dispatch(false))?;
        let body = json!({"token": text(&dispatched, "token")?}).to_string();
        let ask = self.internal("/nevisfido/token/redeem/authentication", body);
        Ok(Ask { on: ListenerClass::Public, field: None, ..ask })
    }

    /// A signed change of the target that was never sent before, as it reaches its filter.
    pub(crate) fn patch(&self) -> Result<Exchange, Failure> {
        self.change(self.message(&GOOD))
    }

    /// A change of the target that was never sent before, signed and written in this way.
    pub(crate) fn message(&self, attack: &Attack) -> String {
        let claims = json!({
            "name": "new name", "dispatchTargetId": self.target, "requestId": uuid::Uuid::new_v4(),
            "creationTimeInEpochMillis": SystemClock.now().0,
        });
        let sign = |input: &str| self.signing.sign(input);
        Victim { public: self.signing.public(), sign: &sign, issuer: "", claims: claims.to_string() }.token(attack)
    }

    /// Such a message as it reaches its filter.
    pub(crate) fn change(&self, message: String) -> Result<Exchange, Failure> {
        let ask = Ask {
            on: ListenerClass::Public,
            method: Method::PATCH,
            path: format!("{TARGETS}/{}", self.target),
            field: Some((CONTENT_TYPE, HeaderValue::from_static("application/jose"))),
            body: message,
        };
        let path = CanonicalPath::parse(&ask.path)?;
        let found = self.composed.router.find(ask.on, &ask.method, &path).map_err(|_| "no such row")?;
        Ok(ask.exchange(found.path, found.params))
    }

    /// Whether the bypass lets the change through.
    pub(crate) fn bypass(&self, mut exchange: Exchange) -> bool {
        self.runtime.block_on(async {
            let passes = matches!(self.bypass.request(&mut exchange, &mut Bytes::new()).await, Ok(Verdict::Pass));
            passes && matches!(self.bypass.commit(&mut exchange).await, Ok(Verdict::Pass))
        })
    }

    /// Whether the bypass refuses it, as a message that is none of the target's key.
    pub(crate) fn refuses(&self, mut exchange: Exchange) -> bool {
        let verdict = self.block_on(self.bypass.request(&mut exchange, &mut Bytes::new()));
        matches!(verdict, Ok(Verdict::Answer(reply)) if reply.status().is_client_error())
    }

    /// Waits for what is done in the background by nobody else.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// A request for the application from a browser with a session.
    pub(crate) fn browser(&self) -> Ask {
        let field = Some((COOKIE, self.cookie.clone()));
        Ask {
            on: ListenerClass::Public,
            method: Method::GET,
            path: "/shop/cart".to_owned(),
            field,
            body: String::new(),
        }
    }

    /// The application's row, and such a request for it.
    pub(crate) fn application(&self) -> Result<(Arc<Route>, Exchange), Failure> {
        let ask = self.browser();
        let path = CanonicalPath::parse(&ask.path)?;
        let found = self.composed.router.find(ask.on, &ask.method, &path).map_err(|_| "no such row")?;
        Ok((found.route.clone(), ask.exchange(found.path, found.params)))
    }

    /// Whether the filters of a row let a request through, with what they tell the application.
    pub(crate) fn passes(&self, route: &Route, exchange: &mut Exchange) -> bool {
        let verdict = self.runtime.block_on(route.filters.request(exchange, &mut Bytes::new()));
        matches!(verdict, Verdict::Pass) && !exchange.upstream_headers.is_empty()
    }

    /// Whether there is a row.
    pub(crate) fn finds(&self, on: ListenerClass, method: &Method, path: &CanonicalPath) -> bool {
        std::hint::black_box(self.composed.router.find(on, method, path)).is_ok()
    }
}

impl Ask {
    fn exchange(self, path: CanonicalPath, params: Params) -> Exchange {
        let mut headers = fields();
        headers.extend(self.field);
        let client = client(self.on);
        let body = Some(Bytes::from(self.body));
        Exchange { params, body, ..Exchange::new("r".into(), self.method, path, headers, client) }
    }
}

/// Whoever connects.
pub(crate) fn client(on: ListenerClass) -> Client {
    let internal = on == ListenerClass::Internal;
    Client { internal, ..Client::new([127, 0, 0, 1].into(), "https://gate.example") }
}

/// What a browser sends along.
pub(crate) fn fields() -> HeaderMap {
    let fields = [
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("accept-language", "en-GB,en;q=0.7,de;q=0.3"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("upgrade-insecure-requests", "1"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "same-origin"),
        ("priority", "u=0, i"),
        ("te", "trailers"),
    ];
    fields.into_iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

fn config(folder: &tempfile::TempDir) -> Result<Config, Failure> {
    let file = folder.path().join("bench.yml");
    std::fs::write(&file, [STANDALONE, APPLICATION].concat())?;
    let overrides = Overrides { data: Some(folder.path().join("var")), ..Overrides::default() };
    Ok(load(&Source::File(file), &overrides, &Environment::new(|_| None))?)
}

/// The keys of the composed store; used requests in memory, or a file system would be measured, and no limit.
fn bypass(composed: &Composed) -> JwsBypassFilter {
    let limit = Limit { burst: NonZeroU32::MAX, every: Duration::from_millis(1) };
    let keys = Arc::new(StoredTargetKeys::new(composed.targets.clone()));
    let replays = Arc::new(MemoryReplayGuard::new(REPLAYS, Arc::new(SystemClock)));
    JwsBypassFilter::new(Proof::Keys(keys), Arc::new(Uses::new(replays, Arc::new(SystemClock), limit)), SKEW)
}

fn text<'a>(value: &'a Value, member: &str) -> Result<&'a str, Failure> {
    value.get(member).and_then(Value::as_str).ok_or_else(|| format!("no {member}: {value}").into())
}
