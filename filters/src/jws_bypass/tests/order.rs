//! With two faults in a message the earlier row answers.

use rstest::rstest;

use super::*;

/// Faults by row, in order; each is put on top of those after it.
#[derive(Default, Clone)]
struct Faults {
    claims: Value,
    header: Value,
    stranger: bool,
    target: Option<&'static str>,
}

#[tokio::test]
async fn rows_are_checked_in_the_order_of_the_table() {
    let bench = Bench::new(Algorithm::Es256);
    let used = json!({"requestId": "used"});
    bench.send(bench.message(used.clone())).await.passed();
    let mut faults = Faults { claims: used, header: json!({"alg": "ES256"}), ..Faults::default() };
    let send = async |faults: &Faults| {
        let key = if faults.stranger { SigningKey::for_algorithm(Algorithm::Es256) } else { bench.key.clone() };
        let payload = claims(faults.claims.clone()).to_string();
        let message = key.sign(Algorithm::Es256, &faults.header.to_string(), &payload);
        bench.run(exchange(faults.target.unwrap_or(TARGET)), message).await.refused().1
    };
    faults.claims["name"] = Value::Null;
    assert!(send(&faults).await.contains("used before"));
    faults.stranger = true;
    assert!(send(&faults).await.contains("signature"));
    faults.target = Some("unknown");
    assert!(send(&faults).await.contains("no such dispatch target"));
    faults.claims["creationTimeInEpochMillis"] = json!(0);
    assert!(send(&faults).await.contains("too far"));
    faults.claims["dispatchTargetId"] = json!("other");
    assert!(send(&faults).await.contains("another target"));
    faults.header["jku"] = json!("https://example.com");
    assert!(send(&faults).await.contains("jku"));
    faults.header["alg"] = json!("none");
    assert!(send(&faults).await.contains("none of the accepted"));
    faults.claims["requestId"] = json!(1);
    assert!(send(&faults).await.contains("requestId in the payload"));
}

#[rstest]
#[case::absent(&[], false)]
#[case::json(&["application/json"], false)]
#[case::near(&["application/jose+json"], false)]
#[case::twice(&["application/jose", "application/jose"], false)]
#[case::bare(&["application/jose"], true)]
#[case::charset(&["Application/JOSE ; charset=utf-8"], true)]
#[tokio::test]
async fn the_media_type_comes_before_the_length(#[case] types: &[&'static str], #[case] good: bool) {
    let bench = Bench::new(Algorithm::Es256);
    let mut exchange = exchange(TARGET);
    exchange.headers.remove(header::CONTENT_TYPE);
    for value in types {
        exchange.headers.append(header::CONTENT_TYPE, HeaderValue::from_static(value));
    }
    let (status, _) = bench.run(exchange, vec![b'A'; BODY_LIMIT + 1]).await.refused();
    assert_eq!(status, if good { 413 } else { 415 });
}

#[rstest]
#[case::compressed(Some(("content-encoding", "gzip")), None, 415)]
#[case::not_compressed_and_said_so(Some(("content-encoding", "identity")), None, 415)]
#[case::another_charset(Some(("content-type", "application/jose; charset=utf-16")), None, 415)]
#[case::two_charsets(Some(("content-type", "application/jose; charset=utf-8; charset=utf-7")), None, 415)]
#[case::a_query(None, Some("target=x"), 400)]
#[case::an_empty_query(None, Some(""), 413)]
#[tokio::test]
async fn a_body_that_others_may_read_in_another_way_is_refused(
    #[case] header: Option<(&'static str, &'static str)>,
    #[case] query: Option<&str>,
    #[case] expected: u16,
) {
    let bench = Bench::new(Algorithm::Es256);
    let mut exchange = exchange(TARGET);
    if let Some((name, value)) = header {
        exchange.headers.insert(name, HeaderValue::from_static(value));
    }
    exchange.query = query.map(str::to_owned);
    assert_eq!(bench.run(exchange, vec![b'A'; BODY_LIMIT + 1]).await.refused().0, expected);
}
