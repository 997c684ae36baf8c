//! What a context may ask for, and what is wrong with others.

use rstest::rstest;

use super::*;

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn an_absent_context_asks_for_the_default() {
    let plain = Context::parse(Operation::Auth, None).unwrap();
    assert_eq!(plain.username, None);
    assert_eq!(plain.ask, Ask::Authentication { policy: "default".into(), transaction: vec![] });
    assert!(!plain.ask.has_transaction());
    assert_eq!(Context::parse(Operation::Dereg, None).unwrap().ask, Ask::Deregistration(Scope::User));
}

#[test]
fn a_transaction_is_kept_byte_for_byte() {
    let text = r#"{"username":"jeff","policy":"bank","transaction":[{"contentType":"text/plain","content":"UGF5IDE"}],"x":[1]}"#;
    let context = Context::parse(Operation::Auth, Some(text)).unwrap();
    assert_eq!(context.username.as_deref(), Some("jeff"));
    assert_eq!(context.ask.policy(), Some("bank"));
    let Ask::Authentication { transaction, .. } = &context.ask else { panic!("{context:?}") };
    assert_eq!(transaction[0].content.as_bytes(), b"Pay 1");
    let kept = serde_json::to_string(&context.ask).unwrap();
    assert_eq!(serde_json::from_str::<Ask>(&kept).unwrap(), context.ask);
}

#[test]
fn a_text_of_200_characters_is_the_longest() {
    let with = |length: usize| {
        let content = sidegate_uaf::encoding::encode(&vec![b'a'; length]);
        format!(r#"{{"transaction":[{{"contentType":"text/plain","content":"{content}"}}]}}"#)
    };
    assert!(Context::parse(Operation::Auth, Some(&with(200))).is_ok());
    assert!(Context::parse(Operation::Auth, Some(&with(201))).is_err());
}

#[test]
fn a_context_of_8_kib_is_the_longest() {
    let with = |length: usize| format!(r#"{{"x":"{}"}}"#, "a".repeat(length - 8));
    assert!(Context::parse(Operation::Auth, Some(&with(MAX_CONTEXT))).is_ok());
    assert_eq!(Context::parse(Operation::Auth, Some(&with(MAX_CONTEXT + 1))).unwrap_err().member, "context");
}

#[test]
fn a_deregistration_has_three_modes() {
    let ask = |text: &str| Context::parse(Operation::Dereg, Some(text)).unwrap().ask;
    let aaid: Aaid = "FFFF#FC01".parse().unwrap();
    assert_eq!(ask(r#"{"mode":"username"}"#), Ask::Deregistration(Scope::User));
    assert_eq!(ask(r#"{"mode":"aaid","aaid":"ffff#fc01"}"#), Ask::Deregistration(Scope::Model(aaid)));
    let key = format!(r#"{{"mode":"key","aaid":"FFFF#FC01","keyId":"{KEY}"}}"#);
    let key_id = KeyId::new([0; 32]).unwrap();
    assert_eq!(ask(&key), Ask::Deregistration(Scope::Key(KeyRef { aaid, key_id })));
}

#[rstest]
#[case(Operation::Auth, "", "context")]
#[case(Operation::Auth, "[]", "context")]
#[case(Operation::Auth, "{} x", "context")]
#[case(Operation::Auth, r#"{"username":"a","username":"b"}"#, "context")]
#[case(Operation::Auth, r#"{"username":1}"#, "context.username")]
#[case(Operation::Auth, r#"{"policy":[]}"#, "context.policy")]
#[case(Operation::Auth, r#"{"transaction":[]}"#, "context.transaction")]
#[case(Operation::Auth, r#"{"transaction":[{"contentType":"text/plain"}]}"#, "context.transaction")]
#[case(
    Operation::Auth,
    r#"{"transaction":[{"contentType":"text/plain","content":"UGF5IDE"},{"contentType":"text/plain","content":"UGF5IDEwMDA"}]}"#,
    "context.transaction"
)]
#[case(
    Operation::Auth,
    r#"{"transaction":[{"contentType":"image/png","content":"UGF5"}]}"#,
    "context.transaction.content"
)]
#[case(
    Operation::Auth,
    r#"{"transaction":[{"contentType":"text/plain","content":"UGF5"},{"contentType":"text/html","content":"UGF5"}]}"#,
    "context.transaction.contentType"
)]
#[case(
    Operation::Auth,
    r#"{"transaction":[{"contentType":"text/plain","content":"UGF5IA=="}]}"#,
    "context.transaction.content"
)]
#[case(
    Operation::Auth,
    r#"{"transaction":[{"contentType":"text/plain","content":"w6k"}]}"#,
    "context.transaction.content"
)]
#[case(Operation::Reg, r#"{"transaction":[{"contentType":"text/plain","content":"UGF5"}]}"#, "context.transaction")]
#[case(Operation::Dereg, r#"{"mode":"all"}"#, "context.mode")]
#[case(Operation::Dereg, r#"{"mode":"aaid"}"#, "context.aaid")]
#[case(Operation::Dereg, r#"{"aaid":"FFFF#FC01"}"#, "context.aaid")]
#[case(Operation::Dereg, r#"{"mode":null,"aaid":"FFFF#FC01","keyId":"AA"}"#, "context.aaid")]
#[case(Operation::Dereg, r#"{"mode":"username","aaid":"FFFF#FC01"}"#, "context.aaid")]
#[case(Operation::Dereg, r#"{"keyId":"AA"}"#, "context.keyId")]
#[case(Operation::Dereg, r#"{"mode":"username","keyID":"AA"}"#, "context.keyId")]
#[case(Operation::Dereg, r#"{"mode":"aaid","aaid":"FFFF#FC01","keyId":"AA"}"#, "context.keyId")]
#[case(Operation::Dereg, r#"{"mode":"aaid","aaid":"FFFF"}"#, "context.aaid")]
#[case(Operation::Dereg, r#"{"mode":"key","aaid":"FFFF#FC01"}"#, "context.keyId")]
#[case(Operation::Dereg, r#"{"mode":"key","aaid":"FFFF#FC01","keyId":"AA"}"#, "context.keyId")]
fn what_cannot_be_served_is_named(#[case] operation: Operation, #[case] text: &str, #[case] member: &str) {
    assert_eq!(Context::parse(operation, Some(text)).unwrap_err().member, member);
}
