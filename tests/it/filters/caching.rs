//! What caches between a client and the gateway may keep of an answer that sets or clears a cookie.

use super::{shop, told};
use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::upstream::{Received, Upstream};

/// Who addresses caches here is the operator.
const FILTERS: &str = "  known: {type: identity-creation, domain: main}
  guests: {type: identity-creation, domain: main, open: true}
  staff: {type: role, one-of: [staff]}
  fast: {type: headers, response: {set: {CDN-Cache-Control: max-age=9, Expires: 'Thu, 01 Dec 2033 16:00:00 GMT'}}}
";
const ROWS: [(&str, &str); 4] =
    [("open", "guests"), ("mine", "known"), ("fast", "fast, known"), ("staff", "fast, known, staff")];

/// What a cache might keep an answer by, beside `Cache-Control`.
const ADDRESSED: [&str; 5] =
    ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control", "expires", "pragma"];

/// An answer that sets a cookie of the application's, and that every cache may keep.
fn to_be_kept(status: u16) -> impl FnOnce(&Received) -> String + Send + 'static {
    move |_| {
        format!(
            "HTTP/1.1 {status} X\r\nContent-Length: 2\r\nSet-Cookie: theme=dark-and-of-high-contrast\r\nCache-Control: public, s-maxage=600\r\n\
             CDN-Cache-Control: max-age=600\r\nCloudflare-CDN-Cache-Control: max-age=600\r\nPragma: cache\r\n\
             Surrogate-Control: max-age=600\r\nExpires: Thu, 01 Dec 2033 16:00:00 GMT\r\nConnection: close\r\n\r\nok"
        )
    }
}

fn values<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    answer.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

/// The cookies that it sets are these, and no cache that others share may keep it.
fn is_kept_by_none(answer: &Answer, cookies: &[&str]) {
    let set: Vec<_> = values(answer, "set-cookie").iter().map(|field| field.split(';').next().unwrap()).collect();
    assert_eq!(set, cookies);
    assert_eq!(values(answer, "cache-control"), ["no-store"]);
    for name in ADDRESSED {
        assert!(values(answer, name).is_empty(), "{name}: {:?}", answer.headers);
    }
}

async fn session(gateway: &Gateway) -> Client {
    gateway.public().cookie(&cookie(gateway).await)
}

async fn cookie(gateway: &Gateway) -> String {
    let login = [("isiwebuserid", "jeff"), ("isiwebpasswd", gateway.password("jeff"))];
    gateway.public().post("/auth/pwd").form(&login).send().await.expect(200).session()
}

#[tokio::test]
async fn what_clears_the_cookie_of_an_ended_session_no_cache_keeps_whoever_answers() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream, FILTERS, &ROWS).user("jeff").start().await;
    let ended = session(&gateway).await;
    ended.post("/auth/logout").send().await.expect(200);
    upstream.say_next(to_be_kept(401));
    let theirs = ended.get("/open/a").send().await.expect(401);
    is_kept_by_none(&theirs, &["theme=dark-and-of-high-contrast", "sidegate-main="]);

    // What clears nothing may be kept, as its server says.
    for (status, client) in [(200, &ended), (401, &gateway.public())] {
        upstream.say_next(to_be_kept(status));
        let answer = client.get("/open/a").send().await.expect(status);
        assert_eq!(values(&answer, "set-cookie"), ["theme=dark-and-of-high-contrast"]);
        assert_eq!(values(&answer, "cache-control"), ["public, s-maxage=600"]);
        assert_eq!(values(&answer, "cdn-cache-control"), ["max-age=600"]);
    }
}

#[tokio::test]
async fn an_answer_of_ours_no_cache_keeps_whatever_the_row_says_to_caches() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream, FILTERS, &ROWS).user("jeff").start().await;
    let ended = session(&gateway).await;
    is_kept_by_none(&ended.get("/staff/a").send().await.expect(403), &[]);
    ended.post("/auth/logout").send().await.expect(200);
    for path in ["/mine/a", "/fast/a"] {
        is_kept_by_none(&ended.get(path).send().await.expect(401), &["sidegate-main="]);
        is_kept_by_none(&gateway.public().get(path).send().await.expect(401), &[]);
    }
    assert!(upstream.received().is_empty());
}

#[tokio::test]
async fn what_a_server_says_to_a_user_who_is_known_no_cache_of_others_keeps() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream, FILTERS, &ROWS).user("jeff").start().await;
    let jeff = session(&gateway).await;
    for path in ["/open/a", "/mine/a", "/fast/a"] {
        for status in [200, 401] {
            upstream.say_next(to_be_kept(status));
            is_kept_by_none(&jeff.get(path).send().await.expect(status), &["theme=dark-and-of-high-contrast"]);
        }
    }
}

/// What every cache may keep of what a server says before its answer.
const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nCache-Control: public, max-age=600\r\nExpires: 0\r\n\
                     CDN-Cache-Control: max-age=600\r\nCloudflare-CDN-Cache-Control: max-age=600\r\n\
                     Surrogate-Control: max-age=600\r\nPragma: cache\r\n\r\n";

#[tokio::test]
async fn before_an_answer_to_a_user_who_is_known_caches_are_told_nothing() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream, FILTERS, &ROWS).user("jeff").start().await;
    let known = format!("Cookie: {}\r\n", cookie(&gateway).await);
    for (path, fields, said) in [("/open/a", "", true), ("/open/a", &known, false), ("/mine/a", &known, false)] {
        upstream.say_next(|received| HINTS.to_owned() + &to_be_kept(200)(received));
        let told = told(&gateway, path, fields).await.to_ascii_lowercase();
        let (hints, answer) = told.split_once("\r\n\r\n").unwrap();
        assert!(hints.starts_with("http/1.1 103 ") && hints.contains("\r\nlink: </a.css>"), "{hints}");
        for name in ADDRESSED.iter().chain(&["cache-control"]) {
            assert_eq!(hints.contains(&format!("\r\n{name}: ")), said, "{path}: {name}: {hints}");
        }
        assert_eq!(answer.contains("\r\ncache-control: no-store\r\n"), !said, "{path}: {answer}");
    }
}
