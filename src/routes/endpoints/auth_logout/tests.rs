use http::Method;
use rstest::rstest;

use super::*;
use crate::identity::testing::{TestDomain, domain, exchange, realm};

async fn post(domain: &TestDomain, fields: &[(&'static str, &str)]) -> http::Response<bytes::Bytes> {
    let mut exchange = exchange(Method::POST, fields);
    domain.admit(&mut exchange).await;
    let endpoint = LogoutEndpoint::new(Arc::clone(&domain.sessions), domain.pages());
    endpoint.answer(exchange).await.into_response("r")
}

#[rstest]
#[case(&[], 200)]
#[case(&[("accept", "text/html"), ("sec-fetch-site", "same-origin")], 303)]
#[tokio::test]
async fn the_session_ends_and_the_cookie_is_cleared(#[case] fields: &[(&'static str, &str)], #[case] status: u16) {
    let domain = domain();
    let cookie = domain.login("jeff", &realm("password", 1, true), None).await.unwrap();
    let fields = [fields, &[("cookie", cookie.as_str())]].concat();
    let response = post(&domain, &fields).await;
    assert_eq!(response.status(), status);
    let cleared = response.headers().get(header::SET_COOKIE).unwrap().to_str().unwrap();
    assert!(cleared.starts_with("__Host-sidegate-main=; ") && cleared.contains("Max-Age=0"));
    assert!(domain.session(&cookie).await.is_none());
}

#[rstest]
#[case(&[("sec-fetch-site", "cross-site")])]
#[case(&[("accept", "text/html")])]
#[tokio::test]
async fn another_site_logs_nobody_out(#[case] fields: &[(&'static str, &str)]) {
    let domain = domain();
    let cookie = domain.login("jeff", &realm("password", 1, true), None).await.unwrap();
    let fields = [fields, &[("cookie", cookie.as_str())]].concat();
    let response = post(&domain, &fields).await;
    assert_eq!(response.status(), 403);
    assert!(!response.headers().contains_key(header::SET_COOKIE));
    assert!(domain.session(&cookie).await.is_some());
}

#[tokio::test]
async fn without_a_session_there_is_nothing_to_end() {
    let response = post(&domain(), &[]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.body(), r#"{"status":"succeeded"}"#);
}

#[tokio::test]
async fn get_only_asks() {
    let domain = domain();
    let cookie = domain.login("jeff", &realm("password", 1, true), None).await.unwrap();
    let mut exchange = exchange(Method::GET, &[("cookie", &cookie)]);
    domain.admit(&mut exchange).await;
    let response = LogoutPageEndpoint::new(domain.pages()).answer(exchange).await.into_response("r");
    assert!(String::from_utf8(response.body().to_vec()).unwrap().contains("action=\"/auth/logout\""));
    assert!(domain.session(&cookie).await.is_some());
}
