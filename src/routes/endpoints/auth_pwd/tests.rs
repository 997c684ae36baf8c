use std::time::Duration;

use http::Method;
use rstest::rstest;
use sidegate_filters::clock::Clock;

use super::*;
use crate::identity::password::Settings;
use crate::identity::testing::{TestDomain, domain, exchange, pair, realm};
use crate::identity::throttle::{Pace, Paces};
use crate::store::Users;
use crate::telemetry::Metrics;

const PROGRAM: &[(&str, &str)] = &[];
const BROWSER: &[(&str, &str)] = &[("accept", "text/html"), ("sec-fetch-site", "same-origin")];
const GOOD: &str = "isiwebuserid=jeff&isiwebpasswd=jeff's+password";
const WRONG: &str = "isiwebuserid=jeff&isiwebpasswd=guess";

struct Bench {
    domain: TestDomain,
    endpoint: PasswordLoginEndpoint,
    pages: Arc<LoginPages>,
}

fn bench(free: u32) -> Bench {
    let domain = domain();
    let user = Pace { free, parallel: 8, ..Pace::default() };
    let paces = Paces { user, ..Paces::default() };
    let settings = Settings { realm: realm("password", 1, true), parallel: 1, queue: 8, paces };
    let users = Arc::clone(&domain.users) as Arc<dyn Users>;
    let clock = Arc::clone(&domain.clock) as Arc<dyn Clock>;
    let metrics = Arc::new(Metrics::new().unwrap());
    let realm = PasswordRealm::new(settings, Arc::clone(&domain.sessions), users, clock, metrics).unwrap();
    let pages = domain.pages();
    Bench { endpoint: PasswordLoginEndpoint::new(Arc::new(realm), Arc::clone(&pages)), domain, pages }
}

impl Bench {
    async fn post(&self, fields: &[(&'static str, &str)], body: &str) -> Response<Bytes> {
        let mut exchange = exchange(Method::POST, fields);
        exchange.body = Some(Bytes::from(body.to_owned()));
        self.domain.admit(&mut exchange).await;
        self.endpoint.answer(exchange).await.into_response("r")
    }

    /// The return field of a login page for this target.
    fn field(&self, target: &str) -> String {
        let goal = Goal::any(ReturnTarget::parse(target).unwrap());
        let form = LoginForm { goal: &goal, name: "", notice: None };
        let page = self.pages.form(StatusCode::OK, &form).unwrap();
        let text = text(&page);
        let (_, rest) = text.split_once("name=\"return\" value=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }
}

fn text(response: &Response<Bytes>) -> String {
    String::from_utf8(response.body().to_vec()).unwrap()
}

fn location(response: &Response<Bytes>) -> &str {
    response.headers().get(header::LOCATION).unwrap().to_str().unwrap()
}

#[tokio::test]
async fn a_program_gets_json_and_a_session() {
    let bench = bench(10);
    let response = bench.post(PROGRAM, GOOD).await;
    assert_eq!(response.status(), 200);
    let told: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(told, serde_json::json!({"status": "succeeded", "extId": "ext-jeff"}));
    assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store");
    let cookie = pair(response.headers().get(header::SET_COOKIE).unwrap());
    assert_eq!(bench.domain.session(&cookie).await.unwrap().ext_id, "ext-jeff");
}

#[tokio::test]
async fn a_browser_goes_back_to_its_page_or_to_the_start() {
    let bench = bench(10);
    let response = bench.post(BROWSER, GOOD).await;
    assert_eq!((response.status().as_u16(), location(&response)), (303, "/home"));
    let response = bench.post(BROWSER, &format!("{GOOD}&return={}", bench.field("/app?a=b"))).await;
    assert_eq!((response.status().as_u16(), location(&response)), (303, "/app?a=b"));
    assert!(response.headers().contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn a_wrong_password_is_401_for_both() {
    let bench = bench(10);
    let program = bench.post(PROGRAM, WRONG).await;
    assert_eq!(program.status(), 401);
    assert_eq!(program.headers().get(header::WWW_AUTHENTICATE).unwrap(), "Bearer realm=\"main\"");
    assert!(!text(&program).contains("guess") && !text(&program).contains("jeff"));
    let browser = bench.post(BROWSER, &format!("{WRONG}&return={}", bench.field("/app"))).await;
    assert_eq!(browser.status(), 401);
    assert!(text(&browser).contains("The user name or the password is wrong."));
    assert!(text(&browser).contains("value=\"jeff\"") && !text(&browser).contains("guess"));
    assert!(!browser.headers().contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn the_page_after_a_wrong_password_still_leads_back() {
    let bench = bench(10);
    let wrong = bench.post(BROWSER, &format!("{WRONG}&return={}", bench.field("/app"))).await;
    let page = text(&wrong);
    let field = page.split_once("name=\"return\" value=\"").unwrap().1.split_once('"').unwrap().0;
    assert_eq!(location(&bench.post(BROWSER, &format!("{GOOD}&return={field}")).await), "/app");
}

#[rstest]
#[case("/app")]
#[case("https://evil.example/")]
#[case("")]
#[tokio::test]
async fn a_forged_return_field_logs_nobody_in(#[case] field: &str) {
    let bench = bench(10);
    for (fields, html) in [(PROGRAM, false), (BROWSER, true)] {
        let response = bench.post(fields, &format!("{GOOD}&return={field}")).await;
        assert_eq!(response.status(), 400);
        assert!(!response.headers().contains_key(header::SET_COOKIE));
        assert_eq!(text(&response).contains("This form was too old"), html);
    }
}

#[tokio::test]
async fn an_expired_return_field_is_refused() {
    let bench = bench(10);
    let field = bench.field("/app");
    bench.domain.clock.advance(Duration::from_secs(3600));
    assert_eq!(bench.post(BROWSER, &format!("{GOOD}&return={field}")).await.status(), 400);
}

#[rstest]
#[case(&[("sec-fetch-site", "cross-site")])]
#[case(&[("origin", "https://evil.example")])]
#[case(&[("accept", "text/html"), ("origin", "https://evil.example")])]
#[case(&[("accept", "text/html")])]
#[tokio::test]
async fn another_sites_form_logs_nobody_in(#[case] fields: &[(&'static str, &str)]) {
    let response = bench(10).post(fields, GOOD).await;
    assert_eq!(response.status(), 403);
    assert!(!response.headers().contains_key(header::SET_COOKIE));
}

#[rstest]
#[case("")]
#[case("isiwebuserid=jeff")]
#[case("isiwebpasswd=x")]
#[case("isiwebuserid=jeff&isiwebuserid=eve&isiwebpasswd=x")]
#[case("isiwebuserid=%ff&isiwebpasswd=x")]
#[tokio::test]
async fn what_is_no_login_form_is_400(#[case] body: &str) {
    assert_eq!(bench(10).post(PROGRAM, body).await.status(), 400);
}

#[tokio::test]
async fn too_many_guesses_are_told_to_wait() {
    let bench = bench(1);
    assert_eq!(bench.post(PROGRAM, WRONG).await.status(), 401);
    for (fields, html) in [(PROGRAM, false), (BROWSER, true)] {
        let response = bench.post(fields, GOOD).await;
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), "1");
        assert_eq!(text(&response).starts_with("<!doctype html>"), html);
    }
}

#[tokio::test]
async fn without_the_users_store_it_is_503_and_says_no_more() {
    let bench = bench(10);
    *bench.domain.users.up.lock().unwrap() = false;
    let response = bench.post(PROGRAM, GOOD).await;
    assert_eq!(response.status(), 503);
    assert!(text(&response).contains("is unavailable; try again later"));
}

#[tokio::test]
async fn a_login_with_anothers_session_ends_that_session() {
    let bench = bench(10);
    let eves = bench.domain.login("eve", &realm("password", 1, true), None).await.unwrap();
    let response = bench.post(&[("cookie", &eves)], GOOD).await;
    let cookie = pair(response.headers().get(header::SET_COOKIE).unwrap());
    assert_eq!(bench.domain.session(&cookie).await.unwrap().ext_id, "ext-jeff");
    assert!(bench.domain.session(&eves).await.is_none());
}
