//! One test a row of `http-api.md` 1.1. Every message is signed by the registered key (but where that is the fault)
//! and good but for one thing.

use rstest::rstest;

use super::*;
use crate::jws::base64url;
use crate::jws::signing::hmac_sha256;

fn bench() -> Bench {
    Bench::new(Algorithm::Es256)
}

fn unauthorized(detail: &str) -> (u16, String) {
    (401, detail.to_owned())
}

#[tokio::test]
async fn row_1_at_most_8_kib() {
    let bench = bench();
    let message = |padding: usize| bench.message(json!({"ignored": "x".repeat(padding)}));
    // Three characters of base64url hold four bytes more or less: find the longest message that fits.
    let longest = (5000..6200).rev().map(message).find(|message| message.len() <= BODY_LIMIT).unwrap();
    assert!(longest.len() > BODY_LIMIT - 4);
    let too_long = (5000..6200).map(message).find(|message| message.len() > BODY_LIMIT).unwrap();
    assert_eq!(bench.send(too_long.clone()).await.refused(), (413, Problem::too_long(BODY_LIMIT).detail));
    let mut read = exchange(TARGET);
    read.body = Some(too_long.clone().into());
    assert_eq!(bench.run(read, "").await.refused().0, 413);
    let mut direct = exchange(TARGET);
    direct.body = Some(too_long.into());
    let verdict = bench.filter.request(&mut direct, &mut Bytes::new()).await.unwrap();
    assert!(matches!(verdict, Verdict::Answer(reply) if reply.status() == StatusCode::PAYLOAD_TOO_LARGE));
    bench.send(longest).await.passed();
}

#[tokio::test]
async fn row_2_three_parts_in_canonical_base64url() {
    let bench = bench();
    let good = bench.message(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    for three in [
        format!("{header}.{payload}"),
        format!("{good}.{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{header}.{payload}."),
        String::new(),
    ] {
        assert_eq!(bench.send(three).await.refused(), (400, "a compact JWS has three parts, none empty".to_owned()));
    }
    for canonical in [format!("{good}=="), format!("{good}\n"), format!(" {good}"), with_trailing_bits(&good)] {
        let (status, detail) = bench.send(canonical.clone()).await.refused();
        assert_eq!(status, 400, "{canonical}");
        assert!(detail.contains("base64url"), "{detail}");
    }
    bench.send(good).await.passed();
}

/// The same 64 bytes of signature, spelt with the unused bits of the last character set.
fn with_trailing_bits(compact: &str) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.find(compact.chars().last().unwrap()).unwrap();
    format!("{}{}", &compact[..compact.len() - 1], &alphabet[last + 1..last + 2])
}

#[rstest]
#[case::header_no_object(r#"["ES256"]"#, None)]
#[case::header_no_json(r#"{"alg":"ES256"} "x""#, None)]
#[case::header_member_twice(r#"{"alg":"ES256","alg":"ES256"}"#, None)]
#[case::alg_no_string(r#"{"alg":1}"#, None)]
#[case::kid_no_string(r#"{"alg":"ES256","kid":1}"#, None)]
#[case::payload_no_object("", Some("[]"))]
#[case::payload_no_json("", Some("name=x"))]
#[case::payload_member_twice(
    "",
    Some(r#"{"requestId":"r","creationTimeInEpochMillis":1700000000000,"name":"a","name":"b"}"#)
)]
#[case::payload_member_twice_deep(
    "",
    Some(r#"{"requestId":"r","creationTimeInEpochMillis":1700000000000,"name":"a","x":{"y":1,"y":1}}"#)
)]
#[tokio::test]
async fn row_3_strict_json_objects(#[case] header: &str, #[case] payload: Option<&str>) {
    let bench = bench();
    let header = if header.is_empty() { r#"{"alg":"ES256"}"# } else { header };
    let good = claims(json!({})).to_string();
    let message = bench.key.sign(Algorithm::Es256, header, payload.unwrap_or(&good));
    assert_eq!(bench.send(message).await.refused().0, 400);
}

#[rstest]
#[case::name(json!({"name": 1}))]
#[case::target(json!({"target": {}}))]
#[case::dispatcher(json!({"dispatcher": ["link"]}))]
#[case::target_id(json!({"dispatchTargetId": 1}))]
#[case::no_request_id(json!({"requestId": null}))]
#[case::request_id_no_string(json!({"requestId": 1}))]
#[case::request_id_empty(json!({"requestId": ""}))]
#[case::request_id_long(json!({"requestId": "é".repeat(65)}))]
#[case::no_time(json!({"creationTimeInEpochMillis": null}))]
#[case::time_in_text(json!({"creationTimeInEpochMillis": "1700000000000"}))]
#[case::time_with_fraction(json!({"creationTimeInEpochMillis": 1_700_000_000_000.5}))]
#[tokio::test]
async fn row_3_claims_have_their_types(#[case] changed: Value) {
    let bench = bench();
    let (status, detail) = bench.send(bench.message(changed.clone())).await.refused();
    let member = changed.as_object().unwrap().keys().next().unwrap();
    assert_eq!(status, 400);
    assert!(detail.contains(member), "{detail} names {member}");
}

#[tokio::test]
async fn row_3_a_null_is_not_an_absent_claim() {
    let bench = bench();
    let payload = claims(json!({})).to_string().replace('{', r#"{"target":null,"#);
    let message = bench.key.sign(Algorithm::Es256, r#"{"alg":"ES256"}"#, &payload);
    assert_eq!(bench.send(message).await.refused().0, 400);
}

#[rstest]
#[case::missing(json!({}))]
#[case::none(json!({"alg": "none"}))]
#[case::mac(json!({"alg": "HS256"}))]
#[case::spelling(json!({"alg": "es256"}))]
#[case::another_curve(json!({"alg": "ES256K"}))]
#[tokio::test]
async fn row_4_alg_is_one_of_the_list(#[case] header: Value) {
    let bench = bench();
    let message = bench.signed(Algorithm::Es256, &header, json!({}));
    assert_eq!(bench.send(message).await.refused(), unauthorized("alg of the JWS is none of the accepted ones"));
}

#[tokio::test]
async fn row_4_the_public_key_is_no_mac_secret() {
    let bench = bench();
    let input =
        format!("{}.{}", base64url::encode(r#"{"alg":"HS256"}"#), base64url::encode(claims(json!({})).to_string()));
    let mac = hmac_sha256(bench.key.jwk().to_string().as_bytes(), input.as_bytes());
    let message = format!("{input}.{}", base64url::encode(mac));
    assert_eq!(bench.send(message).await.refused().0, 401);
}

#[rstest]
#[case("crit", json!(["exp"]))]
#[case("crit", json!([]))]
#[case("jwk", json!({}))]
#[case("jku", json!("https://example.com/keys"))]
#[case("x5c", json!([]))]
#[case("x5u", json!("https://example.com/chain"))]
#[case("b64", json!(true))]
#[tokio::test]
async fn row_5_no_member_that_brings_a_key_or_changes_the_meaning(#[case] member: &str, #[case] value: Value) {
    let bench = bench();
    let mut header = json!({"alg": "ES256"});
    header[member] = value;
    let message = bench.signed(Algorithm::Es256, &header, json!({}));
    let detail = format!("{member} in the header of the JWS is not accepted");
    assert_eq!(bench.send(message).await.refused(), unauthorized(&detail));
}

#[tokio::test]
async fn row_6_the_target_named_is_the_one_of_the_path() {
    let bench = bench();
    let other = bench.message(json!({"dispatchTargetId": "other"}));
    let detail = "dispatchTargetId names another target than the path";
    assert_eq!(bench.send(other).await.refused(), unauthorized(detail));
    bench.send(bench.message(json!({"dispatchTargetId": TARGET}))).await.passed();
}

#[rstest]
#[case::just_not_too_old(-300_000, true)]
#[case::too_old(-300_001, false)]
#[case::just_not_too_new(300_000, true)]
#[case::too_new(300_001, false)]
#[case::before_all_time(i64::MIN, false)]
#[case::after_all_time(i64::MAX, false)]
#[tokio::test]
async fn row_7_the_time_is_near(#[case] apart: i64, #[case] good: bool) {
    let bench = bench();
    let time = NOW.0.saturating_add(apart);
    let outcome = bench.send(bench.message(json!({"creationTimeInEpochMillis": time}))).await;
    if good {
        outcome.passed();
    } else {
        assert_eq!(outcome.refused(), unauthorized("creationTimeInEpochMillis is too far from the time here"));
    }
}

#[tokio::test]
async fn row_8_the_target_exists() {
    let bench = bench();
    bench.keys.remove(TARGET);
    let gone = bench.send(bench.message(json!({}))).await;
    assert_eq!(gone.refused(), (404, "there is no such dispatch target".to_owned()));
}

#[tokio::test]
async fn row_9_signed_by_the_registered_key() {
    let bench = bench();
    let stranger = SigningKey::for_algorithm(Algorithm::Es256);
    let message = stranger.sign(Algorithm::Es256, r#"{"alg":"ES256"}"#, &claims(json!({})).to_string());
    assert_eq!(bench.send(message).await.refused(), unauthorized("the signature of the JWS is wrong"));
}

#[tokio::test]
async fn row_9_the_payload_is_the_signed_one() {
    let bench = bench();
    let (good, evil) = (bench.message(json!({})), bench.message(json!({"name": "evil"})));
    let (good, evil): (Vec<&str>, Vec<&str>) = (good.split('.').collect(), evil.split('.').collect());
    let mixed = [evil[0], evil[1], good[2]].join(".");
    assert_eq!(bench.send(mixed).await.refused(), unauthorized("the signature of the JWS is wrong"));
}

#[tokio::test]
async fn row_9_the_algorithm_fits_the_key() {
    let bench = Bench::new(Algorithm::Es256);
    let rsa = SigningKey::for_algorithm(Algorithm::Rs256);
    let message = rsa.sign(Algorithm::Rs256, r#"{"alg":"RS256"}"#, &claims(json!({})).to_string());
    assert_eq!(bench.send(message).await.refused(), unauthorized("alg of the JWS does not fit the key"));
}

#[tokio::test]
async fn row_9_the_algorithm_is_that_of_the_jwk() {
    let bench = Bench::new(Algorithm::Ps256);
    let mut jwk = bench.key.jwk();
    jwk["alg"] = "PS256".into();
    let bound = crate::jws::JwkDocument::parse(&jwk).unwrap().try_into().unwrap();
    bench.keys.register(TARGET, Arc::new(bound)).unwrap();
    let message = bench.signed(Algorithm::Rs256, &json!({"alg": "RS256"}), json!({}));
    assert_eq!(bench.send(message).await.refused(), unauthorized("alg of the JWS does not fit the key"));
    bench.send(bench.signed(Algorithm::Ps256, &json!({"alg": "PS256"}), json!({}))).await.passed();
}

#[tokio::test]
async fn row_9_a_key_of_several_targets_names_its_target() {
    let bench = bench();
    bench.keys.register("another", Arc::new(bench.key.verification_key())).unwrap();
    let detail = "the key serves several targets: add the claim dispatchTargetId";
    assert_eq!(bench.send(bench.message(json!({}))).await.refused(), unauthorized(detail));
    bench.send(bench.message(json!({"dispatchTargetId": TARGET}))).await.passed();
}

#[tokio::test]
async fn row_10_a_request_id_works_once() {
    let bench = bench();
    let message = bench.message(json!({}));
    bench.send(message.clone()).await.passed();
    assert_eq!(bench.send(message).await.refused(), unauthorized("requestId was used before"));
    let other_change = bench.message(json!({"name": "another"}));
    assert_eq!(bench.send(other_change).await.refused(), unauthorized("requestId was used before"));
    bench.send(bench.message(json!({"requestId": "r-2"}))).await.passed();
}

#[tokio::test]
async fn row_10_remembered_as_long_as_row_7_would_take_it() {
    let bench = bench();
    let message = bench.message(json!({"creationTimeInEpochMillis": NOW.0 + 300_000}));
    bench.send(message.clone()).await.passed();
    bench.clock.advance(minutes(10));
    assert_eq!(bench.send(message.clone()).await.refused(), unauthorized("requestId was used before"));
    bench.clock.advance(Duration::from_millis(1));
    let detail = "creationTimeInEpochMillis is too far from the time here";
    assert_eq!(bench.send(message).await.refused(), unauthorized(detail));
}

#[tokio::test]
async fn row_10_one_of_many_at_once_passes() {
    let bench = Arc::new(bench());
    let message = bench.message(json!({}));
    let senders: Vec<_> = (0..50)
        .map(|_| {
            let (bench, message) = (bench.clone(), message.clone());
            tokio::spawn(async move { matches!(bench.send(message).await, Outcome::Passed(_)) })
        })
        .collect();
    let mut passed = 0;
    for sender in senders {
        passed += usize::from(sender.await.unwrap());
    }
    assert_eq!(passed, 1);
}

#[tokio::test]
async fn row_10_a_stranger_uses_up_no_request_id() {
    let bench = bench();
    let stranger = SigningKey::for_algorithm(Algorithm::Es256);
    let message = stranger.sign(Algorithm::Es256, r#"{"alg":"ES256"}"#, &claims(json!({})).to_string());
    bench.send(message).await.refused();
    bench.send(bench.message(json!({}))).await.passed();
}

#[tokio::test]
async fn row_11_there_is_something_to_change() {
    let bench = bench();
    let empty = bench.message(json!({"name": null}));
    let detail = "nothing to change: give name, target or dispatcher";
    assert_eq!(bench.send(empty).await.refused(), (400, detail.to_owned()));
    // Nothing was used up.
    bench.send(bench.message(json!({}))).await.passed();
}
