mod passed_on;
mod service;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response};
use rstest::rstest;

use super::*;
use crate::clock::{ManualClock, Millis};
use crate::exchange::{CertificateDigest, Client, Occasion};
use crate::identity::{CarriedBy, Carrier, KnownCaller, Login, Role, Session};
use crate::memory::MemorySessions;
use crate::path::CanonicalPath;
use crate::testing::{fields, request};

const COOKIE: &str = "__Host-sidegate-main=good";

struct House;

/// One session, with the cookie "good".
fn known() -> MemorySessions {
    let sessions = MemorySessions::new(1);
    sessions.begin("good", session("main")).unwrap();
    sessions
}

#[async_trait]
impl Sessions for House {
    async fn find(
        &self,
        domain: &SessionDomain,
        carrier: &Carrier,
        occasion: Occasion,
    ) -> Result<Option<Session>, FilterError> {
        match carrier.expose() {
            "down" => Err(FilterError::unavailable("the session store")),
            // No store should: the filter looks at the domain itself.
            "foreign" => Ok(Some(session("other"))),
            _ => known().find(domain, carrier, occasion).await,
        }
    }

    async fn is_alive(&self, session: &Session) -> Result<bool, FilterError> {
        match session.sid.as_str() {
            "down" => Err(FilterError::unavailable("the session store")),
            _ => known().is_alive(session).await,
        }
    }
}

#[async_trait]
impl InternalCallers for House {
    async fn find(&self, bearer: &str, _: &Client) -> Result<Result<KnownCaller, BadToken>, FilterError> {
        let caller = |roles| KnownCaller { name: "shop".into(), roles };
        Ok(match bearer {
            "actor" => Ok(caller(vec![Role::ActFor])),
            "bare" => Ok(caller(Vec::new())),
            _ => Err(BadToken("unknown")),
        })
    }

    async fn of_certificate(&self, digest: &CertificateDigest) -> Result<Option<KnownCaller>, FilterError> {
        let roles = vec![Role::ActFor];
        Ok((*digest == CERTIFICATE).then(|| KnownCaller { name: "gateway".into(), roles }))
    }
}

#[async_trait]
impl Tokens for House {
    fn name(&self) -> String {
        "jwt partners".into()
    }

    fn realm(&self) -> &'static str {
        "partners"
    }

    fn acr_values(&self, level: u8) -> Option<Vec<String>> {
        (level < 3).then(|| vec!["urn:two".to_owned()])
    }

    async fn verify(&self, token: &str, _: &Client) -> Result<Result<Session, BadToken>, FilterError> {
        match token {
            "down" => Err(FilterError::unavailable("the keys")),
            "good" => Ok(Ok(Session { ext_id: "partner".into(), ..session("main") })),
            _ => Ok(Err(BadToken("it is over"))),
        }
    }
}

const CERTIFICATE: CertificateDigest = CertificateDigest([7; 32]);

impl LoginPage for House {
    fn page(&self, prompt: &LoginPrompt<'_>) -> Result<Response<Bytes>, FilterError> {
        let text = format!("{} step-up={}", prompt.target.as_str(), prompt.session.is_some());
        Ok(Response::new(Bytes::from(text)))
    }
}

fn session(domain: &str) -> Session {
    Session {
        sid: "sid".into(),
        domain: domain.into(),
        ext_id: "ext".into(),
        name: "jeff".into(),
        logins: Login { realm: "password".into(), level: 1, at: Millis(0) }.into(),
        roles: Vec::new(),
        generation: 0,
    }
}

fn level(level: u8) -> Admission {
    Admission::Session(Demand { level, ..Demand::default() })
}

fn settings(admission: Admission) -> Settings {
    Settings {
        domain: SessionDomain::parse("main").unwrap(),
        admission,
        internal: InternalAccess::With(Role::ActFor),
        interception: Interception::Auto,
        start: ReturnTarget::parse("/home").unwrap(),
        passed_on: PassedOn::default(),
    }
}

fn filter(settings: Settings) -> IdentityCreationFilter {
    let clock = Arc::new(ManualClock::new(Millis(60_000)));
    let cookie: Arc<dyn Credential> = Arc::new(CookieSession::new(settings.domain.clone(), Arc::new(House)));
    let credentials = vec![cookie];
    IdentityCreationFilter::new(settings, credentials, Arc::new(House), Arc::new(House), clock)
}

/// A filter that takes sessions, then tokens.
fn with_tokens(settings: Settings) -> IdentityCreationFilter {
    let token: Arc<dyn Credential> = Arc::new(BearerToken::new(settings.domain.clone(), Arc::new(House)));
    let mut filter = filter(settings);
    filter.credentials.push(token);
    filter
}

fn exchange(internal: bool, headers: &[(&'static str, &str)]) -> Exchange {
    let request = request(Method::GET, "/app/page");
    let client = Client { internal, ..request.client };
    Exchange { query: Some("a=b".into()), headers: fields(headers), client, ..request }
}

/// Runs the filter; the answer is status, `WWW-Authenticate` and body, `None` is a pass.
async fn run(settings: Settings, exchange: &mut Exchange) -> Option<(u16, String, String)> {
    match filter(settings).request(exchange, &mut Bytes::new()).await.unwrap() {
        Verdict::Pass => None,
        Verdict::Answer(reply) => {
            let response = reply.into_response("r");
            let challenge = response.headers().get(header::WWW_AUTHENTICATE);
            let challenge = challenge.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
            let body = String::from_utf8(response.body().to_vec()).unwrap();
            Some((response.status().as_u16(), challenge, body))
        }
    }
}

fn html<'a>(rest: &[(&'static str, &'a str)]) -> Vec<(&'static str, &'a str)> {
    [&[("accept", "text/html")], rest].concat()
}

#[tokio::test]
async fn a_fitting_session_passes_and_is_attached() {
    let mut exchange = exchange(false, &[("cookie", COOKIE), ("authorization", "Bearer upstream's")]);
    assert_eq!(run(settings(level(1)), &mut exchange).await, None);
    let Caller::User(attached) = &exchange.caller else { panic!("no session") };
    assert_eq!((attached.ext_id.as_str(), attached.carrier().unwrap().expose()), ("ext", "good"));
    assert!(format!("{attached:?}").contains("Carrier(…)"));
    assert!(exchange.personal);
    assert!(!exchange.headers.contains_key("cookie"), "the session cookie does not go on");
    assert!(exchange.headers.contains_key("authorization"), "on a public listener a bearer is not ours");
}

#[rstest]
#[case(&[])]
#[case(&[("cookie", "__Host-sidegate-main=bad")])]
#[case(&[("cookie", "__Host-sidegate-main=foreign")])]
#[case(&[("cookie", "sidegate-main=good")])]
#[case(&[("authorization", "Bearer actor")])]
#[tokio::test]
async fn an_api_client_without_session_gets_401(#[case] headers: &[(&'static str, &str)]) {
    let mut exchange = exchange(false, headers);
    let (status, challenge, body) = run(settings(level(1)), &mut exchange).await.unwrap();
    assert_eq!((status, challenge.as_str()), (401, "Bearer realm=\"main\""));
    assert!(body.contains("\"instance\":\"r\""));
    assert_eq!(exchange.caller, Caller::Anonymous);
}

#[tokio::test]
async fn a_browser_gets_the_login_page_and_comes_back() {
    let mut exchange = exchange(false, &html(&[]));
    let (status, challenge, body) = run(settings(level(1)), &mut exchange).await.unwrap();
    assert_eq!((status, challenge.as_str()), (401, "Bearer realm=\"main\""));
    assert_eq!(body, "/app/page?a=b step-up=false");
}

#[tokio::test]
async fn a_browsers_post_is_not_repeated_after_login() {
    let mut exchange = exchange(false, &html(&[]));
    exchange.method = Method::POST;
    assert_eq!(run(settings(level(1)), &mut exchange).await.unwrap().2, "/home step-up=false");
}

#[tokio::test]
async fn a_path_that_reads_as_an_authority_is_no_target() {
    let mut exchange = exchange(false, &html(&[]));
    exchange.path = CanonicalPath::parse("//evil.example/").unwrap();
    assert_eq!(run(settings(level(1)), &mut exchange).await.unwrap().2, "/home step-up=false");
}

#[tokio::test]
async fn where_interception_is_off_a_browser_is_an_api_client() {
    let mut exchange = exchange(false, &html(&[]));
    let settings = Settings { interception: Interception::Never, ..settings(level(1)) };
    assert!(run(settings, &mut exchange).await.unwrap().2.starts_with('{'));
}

#[rstest]
#[case(2, None, "acr_values=\"2\"")]
#[case(1, Some(59), "acr_values=\"1\", max_age=\"59\"")]
#[tokio::test]
async fn a_weak_or_old_session_is_asked_to_step_up(#[case] level: u8, #[case] age: Option<u64>, #[case] rest: &str) {
    let demand = Demand { level, max_age: age.map(Duration::from_secs), ..Demand::default() };
    let settings = settings(Admission::Session(demand));
    let mut api = exchange(false, &[("cookie", COOKIE)]);
    let (status, challenge, _) = run(settings.clone(), &mut api).await.unwrap();
    assert_eq!(status, 401);
    assert_eq!(challenge, format!("Bearer realm=\"main\", error=\"insufficient_user_authentication\", {rest}"));
    let mut browser = exchange(false, &html(&[("cookie", COOKIE)]));
    assert_eq!(run(settings, &mut browser).await.unwrap().2, "/app/page?a=b step-up=true");
}

#[tokio::test]
async fn a_missing_role_is_403_for_browsers_too() {
    let demand = Demand { roles: vec!["boss".into()], ..Demand::default() };
    let mut exchange = exchange(false, &html(&[("cookie", COOKIE)]));
    assert_eq!(run(settings(Admission::Session(demand)), &mut exchange).await.unwrap().0, 403);
}

#[rstest]
#[case(Admission::Open)]
#[case(level(1))]
#[tokio::test]
async fn two_cookies_of_our_name_are_refused(#[case] admission: Admission) {
    let mut exchange = exchange(false, &[("cookie", COOKIE), ("cookie", COOKIE)]);
    assert_eq!(run(settings(admission), &mut exchange).await.unwrap().0, 400);
}

#[rstest]
#[case(Admission::Open)]
#[case(level(1))]
#[tokio::test]
async fn without_its_store_nothing_passes(#[case] admission: Admission) {
    let mut exchange = exchange(false, &[("cookie", "__Host-sidegate-main=down")]);
    let verdict = filter(settings(admission)).request(&mut exchange, &mut Bytes::new()).await;
    assert!(matches!(verdict, Err(FilterError::Unavailable(_))));
}

#[tokio::test]
async fn an_open_route_recognises_a_session() {
    let mut with = exchange(false, &[("cookie", COOKIE)]);
    assert_eq!(run(settings(Admission::Open), &mut with).await, None);
    assert!(matches!(with.caller, Caller::User(_)));
    assert!(with.personal);
    let mut without = exchange(false, &[("cookie", "__Host-sidegate-main=bad; a=b")]);
    assert_eq!(run(settings(Admission::Open), &mut without).await, None);
    assert_eq!(without.caller, Caller::Anonymous);
    assert!(!without.personal, "an open page may be cached");
    assert_eq!(without.headers.get("cookie").unwrap(), "a=b");
}

#[rstest]
#[case("Bearer wrong", Admission::Open, 401, "Bearer realm=\"internal\", error=\"invalid_token\"")]
#[case("Bearer", Admission::Open, 401, "Bearer realm=\"internal\", error=\"invalid_token\"")]
#[case("Bearer wrong", level(1), 401, "Bearer realm=\"internal\", error=\"invalid_token\"")]
#[case("Bearer bare", Admission::Open, 403, "")]
#[case("Basic YTpi", Admission::InternalOnly, 401, "Bearer realm=\"internal\"")]
#[tokio::test]
async fn on_internal_listeners_a_bad_bearer_is_never_nobody(
    #[case] authorization: &str,
    #[case] admission: Admission,
    #[case] status: u16,
    #[case] challenge: &str,
) {
    let mut exchange = exchange(true, &[("authorization", authorization), ("cookie", COOKIE)]);
    let (got, shown, _) = run(settings(admission), &mut exchange).await.unwrap();
    assert_eq!((got, shown.as_str()), (status, challenge));
}

#[rstest]
#[case(InternalAccess::Nobody, "Bearer actor", false)]
#[case(InternalAccess::Anybody, "Bearer bare", true)]
#[case(InternalAccess::With(Role::ActFor), "Bearer actor", true)]
#[case(InternalAccess::With(Role::Admin), "Bearer actor", false)]
#[tokio::test]
async fn a_route_says_which_internal_callers_pass(
    #[case] internal: InternalAccess,
    #[case] bearer: &str,
    #[case] passes: bool,
    #[values(Admission::Open, Admission::InternalOnly, level(2))] admission: Admission,
) {
    let mut exchange = exchange(true, &[("authorization", bearer)]);
    let answer = run(Settings { internal, ..settings(admission) }, &mut exchange).await;
    assert_eq!(answer.is_none(), passes);
    assert_eq!(matches!(exchange.caller, Caller::Internal(_)), passes);
    assert_eq!(!exchange.headers.contains_key("authorization"), passes, "our bearer does not go on");
}

#[rstest]
#[case(true, CERTIFICATE, &[], None)]
#[case(true, CERTIFICATE, &[("authorization", "Bearer actor")], None)]
#[case(true, CERTIFICATE, &[("authorization", "Bearer wrong")], Some(401))]
#[case(true, CertificateDigest([8; 32]), &[], Some(401))]
#[case(false, CERTIFICATE, &[], Some(401))]
#[tokio::test]
async fn a_certificate_proves_a_caller_on_internal_listeners(
    #[case] internal: bool,
    #[case] certificate: CertificateDigest,
    #[case] headers: &[(&'static str, &str)],
    #[case] status: Option<u16>,
) {
    let mut exchange = exchange(internal, headers);
    exchange.client.certificate = Some(certificate);
    let answer = run(settings(Admission::InternalOnly), &mut exchange).await;
    assert_eq!(answer.map(|(status, ..)| status), status);
    assert_eq!(matches!(exchange.caller, Caller::Internal(_)), status.is_none());
}

#[tokio::test]
async fn a_certificate_gives_no_more_than_its_callers_roles() {
    let mut exchange = exchange(true, &[]);
    exchange.client.certificate = Some(CERTIFICATE);
    let internal = InternalAccess::With(Role::Admin);
    let answer = run(Settings { internal, ..settings(Admission::Open) }, &mut exchange).await;
    assert_eq!(answer.unwrap().0, 403);
}

#[tokio::test]
async fn a_session_does_not_open_an_internal_route() {
    let mut exchange = exchange(true, &[("cookie", COOKIE)]);
    assert_eq!(run(settings(Admission::InternalOnly), &mut exchange).await.unwrap().0, 401);
}

#[rstest]
#[case("__Host-sidegate-main=bad")]
#[case("__Host-sidegate-main=foreign")]
#[case("__Host-sidegate-main=")]
#[tokio::test]
async fn a_cookie_that_names_no_session_is_dead(
    #[case] cookie: &str,
    #[values((level(1), true), (Admission::Open, false))] (admission, refused): (Admission, bool),
) {
    let mut exchange = exchange(false, &[("cookie", cookie)]);
    assert_eq!(run(settings(admission), &mut exchange).await.is_some(), refused);
    let cleared = "__Host-sidegate-main=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";
    assert_eq!(exchange.dead_cookie.unwrap(), cleared);
    assert!(!exchange.personal);
}

#[rstest]
#[case(level(1), &[])]
#[case(level(1), &[("cookie", "sidegate-main=bad; other=bad")])]
#[case(level(1), &[("cookie", COOKIE)])]
#[case(level(2), &[("cookie", COOKIE)])]
#[case(level(1), &[("cookie", "__Host-sidegate-main=down")])]
#[case(Admission::Open, &[("cookie", COOKIE)])]
#[tokio::test]
async fn no_other_cookie_is_dead(#[case] admission: Admission, #[case] headers: &[(&'static str, &str)]) {
    let mut exchange = exchange(false, headers);
    // Also where the session can't be looked up: it may be alive.
    let _ = filter(settings(admission)).request(&mut exchange, &mut Bytes::new()).await;
    assert_eq!(exchange.dead_cookie, None);
}

#[test]
fn explain_shows_what_is_demanded() {
    let shown = filter(settings(level(2))).settings();
    assert_eq!(shown, "domain main by cookie; a session of level 2; internal callers with act-for; interception auto");
    let shown = filter(settings(Admission::InternalOnly)).settings();
    assert_eq!(shown, "internal callers only; internal callers with act-for", "no session lets anybody pass");
}

#[rstest]
#[case(&[("authorization", "Bearer good")], "partner")]
#[case(&[("authorization", "Bearer good"), ("cookie", COOKIE)], "ext")]
#[case(&[("authorization", "Bearer bad"), ("cookie", COOKIE)], "ext")]
#[case(&[("authorization", "Bearer good"), ("cookie", "__Host-sidegate-main=bad")], "partner")]
#[tokio::test]
async fn the_first_credential_that_is_there_decides_and_none_goes_on(
    #[case] headers: &[(&'static str, &str)],
    #[case] user: &str,
) {
    let mut exchange = exchange(false, headers);
    assert!(matches!(
        with_tokens(settings(level(1))).request(&mut exchange, &mut Bytes::new()).await,
        Ok(Verdict::Pass)
    ));
    let Caller::User(attached) = &exchange.caller else { panic!("nobody") };
    assert_eq!((attached.ext_id.as_str(), attached.carrier().is_some()), (user, user == "ext"));
    assert!(exchange.headers.is_empty(), "{:?}", exchange.headers);
}

#[rstest]
#[case("Bearer bad", Some("Bearer realm=\"main\", error=\"invalid_token\""))]
#[case("Bearer", Some("Bearer realm=\"main\", error=\"invalid_token\""))]
#[case("Bearer down", None)]
#[tokio::test]
async fn a_bad_token_is_never_nobody(
    #[case] authorization: &str,
    #[case] challenge: Option<&str>,
    #[values(Admission::Open, level(1))] admission: Admission,
) {
    let mut exchange = exchange(false, &[("authorization", authorization)]);
    match (with_tokens(settings(admission)).request(&mut exchange, &mut Bytes::new()).await, challenge) {
        (Ok(Verdict::Answer(Reply::Problem(problem))), Some(challenge)) => {
            assert_eq!((problem.status.as_u16(), problem.headers["www-authenticate"] == challenge), (401, true));
        }
        (Err(FilterError::Unavailable(_)), None) => {}
        (other, _) => panic!("{other:?}"),
    }
}

#[rstest]
#[case(2, "acr_values=\"urn:two\"")]
#[case(3, "acr_values=\"3\"")]
#[tokio::test]
async fn whoever_shows_a_token_is_told_in_its_issuers_words(#[case] demanded: u8, #[case] words: &str) {
    let mut exchange = exchange(false, &[("authorization", "Bearer good")]);
    let verdict = with_tokens(settings(level(demanded))).request(&mut exchange, &mut Bytes::new()).await;
    let Ok(Verdict::Answer(Reply::Problem(problem))) = verdict else { panic!("{verdict:?}") };
    let told = problem.headers["www-authenticate"].to_str().unwrap();
    assert_eq!(told, format!("Bearer realm=\"main\", error=\"insufficient_user_authentication\", {words}"));
}

#[tokio::test]
async fn what_was_let_in_may_go_on_while_its_session_lives() {
    let filter = filter(settings(Admission::Open));
    let asked = exchange(false, &[]);
    let caller = |sid: &str, carrier: bool| {
        let session = Session { sid: sid.to_owned(), ..session("main") };
        Caller::User(AuthenticatedSession::granted(
            session,
            carrier.then(|| Carrier::new(CarriedBy::Cookie, String::new())),
        ))
    };
    assert!(filter.holds(&Caller::Anonymous, &asked).await.unwrap());
    assert!(filter.holds(&caller("sid", true), &asked).await.unwrap());
    assert!(!filter.holds(&caller("ended", true), &asked).await.unwrap());
    assert!(filter.holds(&caller("ended", false), &asked).await.unwrap(), "kept nowhere");
    assert!(filter.holds(&caller("down", true), &asked).await.is_err());
    assert!(!crate::Chain::new(vec![Arc::new(filter)]).holds(&caller("down", true), &asked).await);
}

#[rstest]
#[case::good("partners", "Bearer good", true)]
#[case::over("partners", "Bearer over", false)]
#[case::not_what_named_the_user("staff", "Bearer over", true)]
#[tokio::test]
async fn what_a_token_let_in_may_go_on_while_it_is_good(#[case] realm: &str, #[case] shown: &str, #[case] holds: bool) {
    let logins = crate::identity::Login { realm: realm.to_owned(), level: 1, at: crate::clock::Millis(0) }.into();
    let user = Caller::User(AuthenticatedSession::granted(Session { logins, ..session("main") }, None));
    let filter = with_tokens(settings(Admission::Open));
    assert_eq!(filter.holds(&user, &exchange(false, &[("authorization", shown)])).await.unwrap(), holds);
}
