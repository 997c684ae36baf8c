use bytes::Bytes;
use http::Method;
use rstest::rstest;

use super::*;
use crate::clock::Millis;
use crate::identity::{CarriedBy, Carrier, Login, Session};
use crate::testing::{fields, request};

struct Signed;

#[async_trait]
impl SecTokens for Signed {
    async fn token(&self, session: &AuthenticatedSession, audience: &str) -> Result<SecToken, FilterError> {
        match audience {
            "down" => Err(FilterError::unavailable("the key")),
            _ => Ok(SecToken::new(format!("{}.{audience}.sig", session.ext_id))),
        }
    }
}

fn jeff(name: &str) -> Caller {
    let session = Session {
        sid: "sid-1".into(),
        domain: "main".into(),
        ext_id: "ext-1".into(),
        name: name.into(),
        logins: Login { realm: "password".into(), level: 1, at: Millis(5_000) }.into(),
        roles: vec!["a".into(), "b".into()],
        generation: 0,
    };
    Caller::User(AuthenticatedSession::granted(session, Some(Carrier::new(CarriedBy::Cookie, "cookie".into()))))
}

fn exchange(caller: Caller, headers: &[(&'static str, &[u8])]) -> Exchange {
    Exchange { headers: fields(headers), caller, ..request(Method::GET, "/app") }
}

fn filter(audience: &str, rules: &[&str]) -> Result<DelegationFilter, RuleError> {
    let rules = rules.iter().map(|rule| Rule::parse(rule, &|_| None).unwrap()).collect();
    let removed = [HeaderName::from_static("x-elsewhere")].iter().collect();
    DelegationFilter::new(rules, audience.to_owned(), &removed, Arc::new(Signed))
}

fn sent(exchange: &Exchange) -> Vec<(&str, &str)> {
    exchange.upstream_headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect()
}

#[rstest]
#[case("AUTH:user.auth.SecToken:Authorization", "authorization", "Bearer ext-1.app.sig")]
#[case("AUTH:user.auth.SecToken:X-Token", "x-token", "ext-1.app.sig")]
#[case("AUTH:user.auth.SecToken:Authorization:basic", "authorization", "Basic amVmZiAmIGNvPjpleHQtMS5hcHAuc2ln")]
#[case("AUTH:user.auth.UserId:Authorization:basic", "authorization", "Basic amVmZiAmIGNvPjpleHQtMQ==")]
#[case("AUTH:user.auth.UserId:X-User", "x-user", "ext-1")]
#[case("AUTH:user.auth.LoginId:X-Name:base64", "x-name", "amVmZiAmIGNvPg==")]
#[case("AUTH:user.auth.LoginId:X-Name:urlencode", "x-name", "jeff%20%26%20co%3E")]
#[case("AUTH:user.auth.AuthLevel:X-Level", "x-level", "1")]
#[case("AUTH:user.auth.Roles:X-Roles", "x-roles", "a,b")]
#[case("AUTH:user.auth.Realm:X-Realm", "x-realm", "password")]
#[case("SESSION:sid:X-Sid", "x-sid", "sid-1")]
#[case("SESSION:domain:X-Domain", "x-domain", "main")]
#[case("SESSION:authenticated-at:X-At", "x-at", "5000")]
#[case("CONST:gate:X-By", "x-by", "gate")]
#[case("HEADER:Accept-Language:X-Lang", "x-lang", "de")]
#[tokio::test]
async fn a_rule_sets_its_header(#[case] rule: &str, #[case] name: &str, #[case] value: &str) {
    let mut exchange = exchange(jeff("jeff & co>"), &[("accept-language", b"de")]);
    let verdict = filter("app", &[rule]).unwrap().request(&mut exchange, &mut Bytes::new()).await;
    assert!(matches!(verdict, Ok(Verdict::Pass)));
    assert_eq!(sent(&exchange), [(name, value)]);
}

#[tokio::test]
async fn basic_is_of_one_user_and_never_of_nobody() {
    let rule = "AUTH:user.auth.SecToken:Authorization:basic";
    let mut nobody = exchange(Caller::Anonymous, &[]);
    assert!(matches!(filter("app", &[rule]).unwrap().request(&mut nobody, &mut Bytes::new()).await, Ok(Verdict::Pass)));
    assert_eq!(sent(&nobody), []);
    let mut two = exchange(jeff("jeff:eve"), &[]);
    let verdict = filter("app", &[rule]).unwrap().request(&mut two, &mut Bytes::new()).await;
    assert!(matches!(verdict, Err(FilterError::Internal(_))), "where the name ends would be the server's guess");
    let account = Rule::parse("ENV:A:Authorization:basic", &|_| Some("gate:s3cret".to_owned())).unwrap();
    let account = DelegationFilter::new(vec![account], "app".to_owned(), &RemovedHeaders::default(), Arc::new(Signed));
    let mut anybody = exchange(Caller::Anonymous, &[]);
    assert!(matches!(account.unwrap().request(&mut anybody, &mut Bytes::new()).await, Ok(Verdict::Pass)));
    assert_eq!(sent(&anybody), [("authorization", "Basic Z2F0ZTpzM2NyZXQ=")]);
    assert!(anybody.upstream_headers[0].1.is_sensitive());
}

#[tokio::test]
async fn of_nobody_only_what_is_not_personal_is_told() {
    let told = ["AUTH:user.auth.SecToken:Authorization", "SESSION:sid:X-Sid", "CALLER:name:X-Caller"];
    let rules = [told[0], told[1], told[2], "CONST:gate:X-By", "HEADER:x-none:X-N"];
    let mut exchange = exchange(Caller::Anonymous, &[]);
    assert!(matches!(
        filter("app", &rules).unwrap().request(&mut exchange, &mut Bytes::new()).await,
        Ok(Verdict::Pass)
    ));
    assert_eq!(sent(&exchange), [("x-by", "gate")]);
}

#[tokio::test]
async fn of_an_internal_caller_its_name_is_told_and_of_a_user_none() {
    let rules = ["AUTH:user.auth.UserId:X-User", "CALLER:name:X-Caller"];
    for (caller, told) in [(crate::testing::service(&[]), ("x-caller", "shop")), (jeff("jeff"), ("x-user", "ext-1"))] {
        let mut exchange = exchange(caller, &[]);
        assert!(matches!(
            filter("app", &rules).unwrap().request(&mut exchange, &mut Bytes::new()).await,
            Ok(Verdict::Pass)
        ));
        assert_eq!(sent(&exchange), [told]);
    }
}

#[tokio::test]
async fn the_sec_token_is_marked_sensitive() {
    let mut exchange = exchange(jeff("jeff"), &[]);
    let filter = filter("app", &["AUTH:user.auth.SecToken:Authorization"]).unwrap();
    assert!(matches!(filter.request(&mut exchange, &mut Bytes::new()).await, Ok(Verdict::Pass)));
    assert!(exchange.upstream_headers.iter().all(|(_, value)| value.is_sensitive()));
    assert_eq!(format!("{:?}", SecToken::new("abc".into())), "SecToken(…)");
}

#[rstest]
#[case("AUTH:user.auth.LoginId:X-Name")]
#[case("AUTH:user.auth.LoginId:X-Name:base64")]
#[case("AUTH:user.auth.LoginId:X-Name:urlencode")]
#[tokio::test]
async fn a_control_character_of_ours_fails_closed(
    #[case] rule: &str,
    #[values("a\r\nX-Admin: 1", "a\u{0}", "a\u{85}", "a\tb")] name: &str,
) {
    let mut exchange = exchange(jeff(name), &[]);
    let verdict = filter("app", &["CONST:a:X-A", rule]).unwrap().request(&mut exchange, &mut Bytes::new()).await;
    assert!(matches!(verdict, Err(FilterError::Internal(_))));
    assert!(exchange.upstream_headers.is_empty());
}

#[rstest]
#[case(&[b"a\tb".as_slice()])]
#[case(&[b"a\xff".as_slice()])]
#[case(&[b"a".as_slice(), b"b"])]
#[tokio::test]
async fn a_clients_doubtful_value_is_refused(#[case] values: &[&[u8]]) {
    let headers: Vec<_> = values.iter().map(|value| ("accept-language", *value)).collect();
    let mut exchange = exchange(jeff("jeff"), &headers);
    let verdict =
        filter("app", &["HEADER:Accept-Language:X-Lang"]).unwrap().request(&mut exchange, &mut Bytes::new()).await;
    assert!(matches!(verdict, Ok(Verdict::Answer(reply)) if reply.status() == StatusCode::BAD_REQUEST));
}

#[tokio::test]
async fn without_a_sec_token_the_request_does_not_go_on() {
    let mut exchange = exchange(jeff("jeff"), &[]);
    let verdict =
        filter("down", &["AUTH:user.auth.SecToken:X-T"]).unwrap().request(&mut exchange, &mut Bytes::new()).await;
    assert!(matches!(verdict, Err(FilterError::Unavailable(_))));
}

#[rstest]
#[case(&["CONST:a:X-User", "CONST:b:x_user"], RuleError::Twice("x_user".into()))]
#[case(&["HEADER:X_Elsewhere:X-A"], RuleError::Removed("x_elsewhere".into()))]
#[case(&["CONST:a:X-A", "HEADER:x.a:X-B"], RuleError::Removed("x.a".into()))]
fn rules_that_contradict_are_refused_at_the_start(#[case] rules: &[&str], #[case] expected: RuleError) {
    assert_eq!(filter("app", rules).map(|_| ()).unwrap_err(), expected);
}

#[test]
fn explain_shows_the_rules() {
    let filter = filter("app", &["AUTH:user.auth.UserId:X-User", "CONST:s3cret:X-Key"]).unwrap();
    assert_eq!(filter.settings(), "audience app; AUTH:user.auth.UserId:X-User, CONST:…:X-Key");
}
