//! Rows 1 to 7: what is refused before the target's key is looked at.

use serde_json::{Value, json};

use super::{Bench, claims, now, rename, send};
use crate::support::jose::base64url;

#[tokio::test]
async fn a_good_change_is_made_on_both_paths_and_both_protocols() {
    let bench = Bench::new().await;
    let alias = format!("/nevisfido/dispatch/targets/{}/", bench.phone.target());
    for (client, path, name) in [
        (bench.gateway.public(), bench.path(), "one"),
        (bench.gateway.public(), alias.clone(), "two"),
        (bench.gateway.public_http2(), bench.path(), "three"),
        (bench.gateway.public_http2(), alias, "four"),
    ] {
        let jws = bench.phone.signing.sign(&claims(&json!({"name": name})));
        let answer = send(&client, &path, &jws).await.expect(204);
        assert!(answer.body.is_empty() && answer.set_cookie().is_none());
        assert_eq!(bench.name().await, name);
    }
}

#[tokio::test]
async fn row_1_more_than_8_kib_is_413() {
    let bench = Bench::new().await;
    let jws = bench.phone.signing.sign(&claims(&json!({"name": "n", "padding": "x".repeat(8 * 1024)})));
    bench.send(&jws).await.problem(413);
    let fits = bench.phone.signing.sign(&claims(&json!({"name": "n", "padding": "x".repeat(5 * 1024)})));
    bench.send(&fits).await.expect(204);
}

#[tokio::test]
async fn row_2_three_parts_of_canonical_base64url() {
    let bench = Bench::new().await;
    let good = bench.phone.signing.sign(&rename());
    let parts: Vec<_> = good.split('.').collect();
    let (head, payload, signature) = (parts[0], parts[1], parts[2]);
    // 64 bytes end in a character with four zero bits: another one there decodes to the same bytes.
    let loose = format!("{}{}", &signature[..signature.len() - 1], next(signature.chars().last().unwrap()));
    for bad in [
        String::new(),
        format!("{head}.{payload}"),
        format!("{good}.{signature}"),
        format!(".{payload}.{signature}"),
        format!("{head}..{signature}"),
        format!("{head}.{payload}."),
        format!("{good}=="),
        format!("{head}.{payload}.{loose}"),
        format!("{head}.{payload}.+/{}", &signature[2..]),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{head}.{payload}!.{signature}"),
    ] {
        bench.send(&bad).await.problem(400);
    }
    bench.send(&good).await.expect(204);
}

/// The next character of the base64url alphabet.
fn next(last: char) -> char {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    ALPHABET.chars().nth(ALPHABET.find(last).unwrap() + 1).unwrap()
}

#[tokio::test]
async fn row_3_json_objects_without_duplicates_of_the_right_types() {
    let bench = Bench::new().await;
    let sign = |header: &str, payload: &str| bench.phone.signing.sign_parts(header, payload);
    let es256 = r#"{"alg":"ES256"}"#;
    let good = rename().to_string();
    let mut bad = vec![
        sign("[]", &good),
        sign("no json", &good),
        sign(r#"{"alg":"ES256","alg":"ES256"}"#, &good),
        sign(r#"{"alg":256}"#, &good),
        sign(r#"{"alg":"ES256"} x"#, &good),
        sign(es256, "[]"),
        sign(es256, "no json"),
        sign(es256, &format!("{good} x")),
        sign(es256, &good.replacen('{', r#"{"name":"other","#, 1)),
        bench.phone.signing.sign_input(&format!("{}.{}", base64url(es256), base64url([0xff, 0xfe]))),
    ];
    for (member, value) in [
        ("requestId", json!(1)),
        ("requestId", json!("")),
        ("requestId", json!("x".repeat(65))),
        ("requestId", Value::Null),
        ("creationTimeInEpochMillis", json!("1")),
        ("creationTimeInEpochMillis", json!(1.5)),
        ("creationTimeInEpochMillis", Value::Null),
        ("name", json!(1)),
        ("target", json!([])),
        ("dispatcher", json!({})),
        ("dispatchTargetId", json!(7)),
    ] {
        let mut claims = rename();
        claims[member] = value;
        bad.push(bench.phone.signing.sign(&claims));
    }
    for member in ["requestId", "creationTimeInEpochMillis"] {
        let mut claims = rename();
        claims.as_object_mut().unwrap().remove(member);
        bad.push(bench.phone.signing.sign(&claims));
    }
    for jws in &bad {
        bench.send(jws).await.problem(400);
    }
    bench.send(&sign(es256, &good)).await.expect(204);
}

#[tokio::test]
async fn row_4_only_listed_algorithms() {
    let bench = Bench::new().await;
    for alg in ["none", "None", "HS256", "es256", "ES256K", "RSA1_5", "dir", "Ed448", ""] {
        let jws = bench.phone.signing.sign_parts(&json!({"alg": alg}).to_string(), &rename().to_string());
        bench.send(&jws).await.problem(401);
    }
    bench.send(&bench.phone.signing.sign_parts("{}", &rename().to_string())).await.problem(401);
}

#[tokio::test]
async fn row_5_no_header_that_brings_a_key_or_changes_the_meaning() {
    let bench = Bench::new().await;
    let own = bench.phone.signing.public();
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("jwk", own),
        ("jku", json!("https://siven.ch/keys")),
        ("x5c", json!(["MIIB"])),
        ("x5u", json!("https://siven.ch/cert")),
        ("b64", json!(true)),
    ] {
        let mut header = json!({"alg": "ES256"});
        header[name] = value;
        bench.send(&bench.phone.signing.sign_parts(&header.to_string(), &rename().to_string())).await.problem(401);
    }
    let harmless = r#"{"alg":"ES256","kid":"mine","typ":"JWT"}"#;
    bench.send(&bench.phone.signing.sign_parts(harmless, &rename().to_string())).await.expect(204);
}

#[tokio::test]
async fn row_6_a_named_target_is_the_one_of_the_path() {
    let mut bench = Bench::new().await;
    let first = bench.phone.target().to_owned();
    bench.phone.add_target("second target of the same key").await;
    let named = |target: &str| claims(&json!({"name": "n", "dispatchTargetId": target}));
    bench.patch(&named(&first)).await.problem(401);
    // With one key for two targets an unnamed change could be replayed against the other target.
    bench.patch(&rename()).await.problem(401);
    bench.patch(&named(bench.phone.target())).await.expect(204);
}

#[tokio::test]
async fn row_7_the_time_is_now_give_or_take_five_minutes() {
    let bench = Bench::new().await;
    let at = |time: i128| {
        let mut claims = rename();
        claims["creationTimeInEpochMillis"] = json!(i64::try_from(time).unwrap());
        claims
    };
    let now = i128::from(now());
    for wrong in [now - 310_000, now + 310_000, 0, -1, i128::from(i64::MAX)] {
        bench.patch(&at(wrong)).await.problem(401);
    }
    bench.patch(&at(now - 280_000)).await.expect(204);
    bench.patch(&at(now + 280_000)).await.expect(204);
}
