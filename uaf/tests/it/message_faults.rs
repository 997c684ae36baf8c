//! Faults of the whole message: JSON, header, serverData, fcParams, time and channel. Where fcParams
//! is at fault the assertion is signed over the faulty text.

use rstest::rstest;
use serde_json::{Value, json};
use sidegate_uaf::authentication::AuthenticationOutcome;
use sidegate_uaf::encoding::{Text, decode, encode};
use sidegate_uaf::wire::{ChannelBinding, Operation, ServerDataText};
use sidegate_uaf::{Arrival, Error, Incoming};

use crate::support::{APP_ID, END, NONCE, World, edited};

/// Sends a good registration, changed as JSON.
fn sent(change: impl FnOnce(&mut Value)) -> Error {
    let world = World::new();
    let (request, state) = world.start_registration(&[]);
    let (response, _) = world.phone.register(&request, &[]).unwrap();
    world.finish_registration(&state, &edited(&response, change)).unwrap_err()
}

/// Sends a registration whose fcParams were changed as JSON text before they were hashed and signed.
fn with_fc_params(change: impl FnOnce(String) -> String) -> Result<(), Error> {
    let changed = |draft: &mut sidegate_uaf::authenticator::Draft| {
        let text = String::from_utf8(decode(&draft.fc_params).unwrap()).unwrap();
        draft.set_fc_params(encode(change(text).as_bytes()));
    };
    World::new().register_with(changed).map(drop)
}

fn set_fc_param(name: &str, value: Option<Value>) -> Result<(), Error> {
    with_fc_params(|text| {
        let mut params: Value = serde_json::from_str(&text).unwrap();
        match value {
            Some(value) => params[name] = value,
            None => drop(params.as_object_mut().unwrap().remove(name)),
        }
        params.to_string()
    })
}

#[rstest]
#[case("", Error::NotUaf("not JSON"))]
#[case("x", Error::NotUaf("not JSON"))]
#[case("[]", Error::NotUaf("empty array"))]
#[case("{}", Error::NotUaf("not an array"))]
#[case("7", Error::NotUaf("not an array"))]
#[case("[[]]", Error::Member("[0]: header missing".into()))]
#[case("[{}]", Error::Member("[0]: header missing".into()))]
#[case("[{\"a\":1,\"a\":1}]", Error::DuplicateMember)]
#[case("[{\"a\":null}]", Error::NullMember)]
#[case(&"[".repeat(20), Error::TooComplex)]
fn what_is_no_message_is_refused(#[case] text: &str, #[case] error: Error) {
    match (Incoming::parse(Operation::Reg, text, None).unwrap_err(), error) {
        (Error::Member(_), Error::Member(_)) => {}
        (refused, error) => assert_eq!(refused, error),
    }
}

#[test]
fn a_message_has_one_dictionary() {
    let twice = |message: &mut Value| {
        let first = message[0].clone();
        message.as_array_mut().unwrap().push(first);
    };
    assert_eq!(sent(twice), Error::SeveralMessages);
}

#[rstest]
#[case("/0/header", "[0]: header missing")]
#[case("/0/header/upv", "[0].header: upv missing")]
#[case("/0/header/upv/minor", "[0].header.upv: minor missing")]
#[case("/0/header/op", "[0].header: op missing")]
#[case("/0/fcParams", "[0]: fcParams missing")]
#[case("/0/assertions/0/assertionScheme", "[0].assertions[0]: assertionScheme missing")]
#[case("/0/assertions/0/assertion", "[0].assertions[0]: assertion missing")]
fn a_required_member_is_there_and_of_its_type(#[case] pointer: &str, #[case] missing: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let remove = |message: &mut Value| drop(message.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name));
    assert_eq!(sent(remove), Error::Member(missing.into()));
    let mistype = |message: &mut Value| *message.pointer_mut(pointer).unwrap() = json!([7]);
    assert!(matches!(sent(mistype), Error::Member(_)));
}

#[test]
fn a_dictionary_is_an_object() {
    let listed = |message: &mut Value| message[0]["header"]["upv"] = json!([1, 1]);
    assert_eq!(sent(listed), Error::Member("[0].header.upv".into()));
    let listed = |message: &mut Value| message[0]["assertions"][0] = json!(["UAFV1TLV", "AAAA"]);
    assert_eq!(sent(listed), Error::Member("[0].assertions[0]".into()));
}

#[rstest]
#[case("/0/header/serverData", json!(""))]
#[case("/0/header/serverData", json!("x".repeat(1537)))]
#[case("/0/header/appID", json!("x".repeat(513)))]
#[case("/0/header/exts", json!([]))]
#[case("/0/header/exts", json!([{"id": "", "data": "", "fail_if_unknown": false}]))]
#[case("/0/header/exts", json!([{"id": "x".repeat(33), "data": "", "fail_if_unknown": false}]))]
#[case("/0/header/exts", json!([{"id": "x", "data": ""}]))]
#[case("/0/header/upv/major", json!(65_536))]
#[case("/0/header/op", json!("reg"))]
#[case("/0/assertions/0/assertionScheme", json!(""))]
#[case("/0/assertions/0/assertion", json!(""))]
#[case("/0/assertions/0/assertion", json!("A".repeat(4 * 4097)))]
#[case("/0/assertions/0/assertion", json!("+/+/"))]
#[case("/0/assertions/0/assertion", json!("AAA=A"))]
#[case("/0/assertions/0/tcDisplayPNGCharacteristics", json!([]))]
fn limits_are_kept(#[case] pointer: &str, #[case] value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let refused = sent(|message| message.pointer_mut(parent).unwrap()[name] = value);
    assert!(matches!(refused, Error::Member(_)), "{refused}");
}

#[test]
fn members_that_are_unknown_or_padding_of_the_assertion_do_not_matter() {
    let world = World::new();
    let (request, state) = world.start_registration(&[]);
    let (response, _) = world.phone.register(&request, &[]).unwrap();
    let message = edited(&response, |message| {
        message[0]["unknown"] = json!({"a": [1, true, "x", 1.5, -1]});
        let assertion = message[0]["assertions"][0]["assertion"].as_str().unwrap().to_owned();
        let padding = "=".repeat((4 - assertion.len() % 4) % 4);
        message[0]["assertions"][0]["assertion"] = json!(assertion + &padding);
    });
    assert!(world.finish_registration(&state, &message).is_ok());
}

#[rstest]
#[case(1, 0)]
#[case(1, 2)]
#[case(2, 1)]
#[case(0, 1)]
fn only_version_1_1_is_served(#[case] major: u16, #[case] minor: u16) {
    let upv = json!({"major": major, "minor": minor});
    assert_eq!(sent(|message| message[0]["header"]["upv"] = upv.clone()), Error::UnsupportedVersion);
    // The version goes before what else such a message may lack.
    let other = sent(|message| *message = json!([{"header": {"upv": upv}}]));
    assert_eq!(other, Error::UnsupportedVersion);
}

#[test]
fn op_fits_the_endpoint() {
    assert_eq!(sent(|message| message[0]["header"]["op"] = json!("Auth")), Error::WrongOperation);
    assert_eq!(sent(|message| message[0]["header"]["op"] = json!("Dereg")), Error::WrongOperation);
}

#[test]
fn a_header_extension_that_must_be_known_is_refused() {
    let extended = |fail: bool| json!([{"id": "x", "data": "", "fail_if_unknown": fail}]);
    assert_eq!(sent(|message| message[0]["header"]["exts"] = extended(true)), Error::UnknownExtension);
    let world = World::new();
    let (request, state) = world.start_registration(&[]);
    let (response, _) = world.phone.register(&request, &[]).unwrap();
    let harmless = edited(&response, |message| message[0]["header"]["exts"] = extended(false));
    assert!(world.finish_registration(&state, &harmless).is_ok());
}

#[test]
fn server_data_is_there_and_ours() {
    let absent = |message: &mut Value| drop(message[0]["header"].as_object_mut().unwrap().remove("serverData"));
    assert_eq!(sent(absent), Error::ServerDataMissing);
    let flipped = |message: &mut Value| {
        let text = message[0]["header"]["serverData"].as_str().unwrap().to_owned();
        let mut bytes = decode(&text).unwrap();
        bytes[1] ^= 1;
        message[0]["header"]["serverData"] = json!(encode(&bytes));
    };
    assert_eq!(sent(flipped), Error::ServerDataBroken);
    assert_eq!(sent(|message| message[0]["header"]["serverData"] = json!("AAAA")), Error::ServerDataBroken);
}

#[test]
fn server_data_is_that_of_the_operation() {
    // Same challenge, same key of the server; another user.
    let world = World::new();
    let (request, _) = world.start_authentication();
    let (key, credential) = world.registered_key();
    let other = World { named: Some(("eve", vec![credential.clone()])), ..World::new() };
    let response = world.phone.authenticate(&request, &mut [key], &[9; 8]).unwrap();
    let (_, state_of_other) = other.start_authentication();
    let refused = world.finish_authentication(&state_of_other, &response.to_message(), &[credential]).unwrap_err();
    assert_eq!(refused, Error::ServerDataOfAnotherOperation);
}

#[test]
fn server_data_of_a_registration_opens_no_authentication() {
    let world = World::new();
    let (key, _) = world.registered_key();
    let (registration, _) = world.start_registration(&[]);
    let (request, _) = world.start_authentication();
    let mut response = world.phone.authenticate(&request, &mut [key], &[9; 8]).unwrap();
    response.header.server_data = registration.header.server_data;
    // Refused before the caller looks for a state, which would be of the other kind.
    let refused = world.server.open(Operation::Auth, &response.to_message(), None).unwrap_err();
    assert_eq!(refused, Error::ServerDataOfAnotherOperation);
}

#[test]
fn an_answer_is_in_time() {
    let run = |now| World { now, ..World::new() }.register_with(|_| {});
    assert!(run(END).is_ok());
    assert_eq!(run(END + 1).unwrap_err(), Error::DeadlinePassed);
}

#[rstest]
#[case("not base64 at all")]
#[case("e30=")]
#[case("-_8")]
#[case("")]
fn fc_params_is_base64url_of_json(#[case] text: &str) {
    let refused = World::new().register_with(|draft| draft.set_fc_params(text)).unwrap_err();
    assert!(matches!(refused, Error::FcParamsEncoding | Error::FcParams(_)), "{refused}");
}

#[test]
fn fc_params_has_no_padding() {
    let padded = |draft: &mut sidegate_uaf::authenticator::Draft| {
        let mut text = decode(&draft.fc_params).unwrap();
        while text.len() % 3 != 1 {
            text.push(b' ');
        }
        draft.set_fc_params(encode(&text) + "==");
    };
    assert_eq!(World::new().register_with(padded).unwrap_err(), Error::FcParamsEncoding);
}

#[rstest]
fn fc_params_has_its_members(#[values("appID", "challenge", "facetID", "channelBinding")] name: &str) {
    let missing = set_fc_param(name, None).unwrap_err();
    assert_eq!(missing, Error::FcParams(format!("member {name} missing")));
    for value in [json!(7), json!(""), json!(null), json!([])] {
        let refused = set_fc_param(name, Some(value.clone())).unwrap_err();
        assert!(matches!(refused, Error::FcParams(_)), "{name} = {value}: {refused}");
    }
}

#[rstest]
#[case("appID", json!("x".repeat(513)))]
#[case("facetID", json!("x".repeat(513)))]
#[case("challenge", json!(encode(&[1; 7])))]
#[case("challenge", json!(encode(&[1; 65])))]
#[case("challenge", json!("AAAAAAAAAAAAAAAA="))]
#[case("channelBinding", json!({"tlsUnique": ""}))]
#[case("channelBinding", json!({"cid_pubkey": {"kty": "EC"}}))]
fn the_limits_of_fc_params_are_kept(#[case] name: &str, #[case] value: Value) {
    let refused = set_fc_param(name, Some(value)).unwrap_err();
    assert!(matches!(&refused, Error::FcParams(path) if path.contains(name)), "{refused}");
}

#[test]
fn fc_params_has_no_member_twice_and_nothing_behind_it() {
    let twice = with_fc_params(|text| text.replacen('{', &format!("{{\"appID\":\"{APP_ID}\","), 1)).unwrap_err();
    assert!(matches!(twice, Error::FcParams(_)));
    assert!(matches!(with_fc_params(|text| text + "{}").unwrap_err(), Error::FcParams(_)));
}

#[test]
fn spaces_in_fc_params_do_not_matter() {
    assert_eq!(with_fc_params(|text| text.replace(',', " , ")), Ok(()));
}

#[test]
fn the_challenge_is_the_one_issued() {
    let other = json!(encode(&[2; 32]));
    assert_eq!(set_fc_param("challenge", Some(other)), Err(Error::ChallengeMismatch));
    let short = json!(encode(&[1; 31]));
    assert_eq!(set_fc_param("challenge", Some(short)), Err(Error::ChallengeMismatch));
}

#[test]
fn the_app_id_is_the_one_sent_in_header_and_fc_params() {
    let other = json!("https://uaf.example/facets/");
    assert_eq!(sent(|message| message[0]["header"]["appID"] = other.clone()), Error::HeaderAppId);
    let absent = |message: &mut Value| drop(message[0]["header"].as_object_mut().unwrap().remove("appID"));
    assert_eq!(sent(absent), Error::HeaderAppId);
    assert_eq!(set_fc_param("appID", Some(other)), Err(Error::AppId));
}

#[test]
fn the_facet_is_trusted() {
    for facet in ["https://evil.example", "android:apk-key-hash:BBBBBBBBBBBBBBBBBBBBBBBBBBB"] {
        assert_eq!(set_fc_param("facetID", Some(json!(facet))), Err(Error::UntrustedFacet));
    }
}

#[test]
fn the_channel_is_the_servers() {
    let own = |text: &str| ChannelBinding {
        tls_server_certificate: Some(Text::new(text).unwrap()),
        server_end_point: Some(Text::new("end-point").unwrap()),
        ..ChannelBinding::default()
    };
    let run = |seen: Value, own: &[ChannelBinding]| {
        let world = World::new();
        let (request, state) = world.start_registration(&[]);
        let (_, key) = world.phone.register(&request, &[]).unwrap();
        let mut draft = world.phone.draft_registration(&request, &key).unwrap();
        let mut params: Value = serde_json::from_slice(&decode(&draft.fc_params).unwrap()).unwrap();
        params["channelBinding"] = seen;
        draft.set_fc_params(encode(params.to_string().as_bytes()));
        let message = draft.sign(key.private_key()).unwrap().to_message();
        let opened = world.server.open(Operation::Reg, &message, None)?;
        world.server.finish_registration(&state, &opened, &[], &Arrival { now: 0, channels: own })
    };
    let seen = || json!({"tlsServerCertificate": "certificate", "tlsUnique": "unknown here"});
    assert!(run(seen(), &[own("certificate")]).is_ok());
    assert!(run(seen(), &[]).is_ok());
    assert!(run(json!({}), &[own("other")]).is_ok());
    assert!(run(seen(), &[own("other"), own("certificate")]).is_ok(), "one of several");
    assert_eq!(run(seen(), &[own("other"), own("another")]).unwrap_err(), Error::ChannelBinding);
    // Nothing has to be known of a connection; of a certificate all that the client says.
    let nothing = ChannelBinding::default;
    assert!(run(json!({"tlsUnique": "x", "cid_pubkey": "unused"}), &[nothing()]).is_ok());
    for name in ["serverEndPoint", "tlsServerCertificate"] {
        let seen = json!({name: "foreign"});
        assert_eq!(run(seen, &[own("own"), nothing()]).unwrap_err(), Error::ChannelBinding, "{name}");
    }
    for (name, member) in [("serverEndPoint", "x"), ("tlsUnique", "x"), ("cid_pubkey", "unused")] {
        let all = ChannelBinding {
            server_end_point: Some(Text::new("a").unwrap()),
            tls_server_certificate: Some(Text::new("a").unwrap()),
            tls_unique: Some(Text::new("a").unwrap()),
            cid_pubkey: Some(Text::new("a").unwrap()),
        };
        assert_eq!(run(json!({name: member}), &[all]).unwrap_err(), Error::ChannelBinding, "{name}");
    }
}

/// Sends a denial, changed as JSON.
fn denied(context: Option<&str>, change: impl FnOnce(&mut Value)) -> Result<AuthenticationOutcome, Error> {
    let world = World::new();
    let (request, state) = world.start_authentication();
    let message = edited(&world.phone.deny(&request).unwrap(), change);
    let opened = world.server.open(Operation::Auth, &message, context)?;
    world.server.finish_authentication(&state, &opened, &[], &world.arrival())
}

const CODE: Option<&str> = Some(r#"{"asmStatusCode":3}"#);

#[test]
fn no_assertions_are_a_denial_only_with_a_code() {
    assert!(denied(CODE, |_| {}).is_ok());
    assert_eq!(denied(None, |_| {}).unwrap_err(), Error::NoAssertions);
    assert_eq!(denied(Some(r#"{"deviceId":"d"}"#), |_| {}).unwrap_err(), Error::NoAssertions);
    for context in ["", "x", "{", r#"{"asmStatusCode":"3"}"#, r#"{"asmStatusCode":3,"asmStatusCode":3}"#, "[3]"] {
        assert!(matches!(denied(Some(context), |_| {}).unwrap_err(), Error::Member(_)), "{context}");
    }
}

#[test]
fn null_and_unknown_members_of_the_context_say_nothing() {
    let nulls = r#"{"asmStatusCode":3,"clientErrorCode":null,"deviceId":null,"deviceName":null,"policy":null}"#;
    assert!(denied(Some(nulls), |_| {}).is_ok());
    assert!(denied(Some(r#"{"asmStatusCode":3,"policy":"x","more":{"a":[1]}}"#), |_| {}).is_ok());
    let no_code = r#"{"asmStatusCode":null,"clientErrorCode":null}"#;
    assert_eq!(denied(Some(no_code), |_| {}).unwrap_err(), Error::NoAssertions);
    assert!(matches!(denied(Some(r#"{"asmStatusCode":3,"more":{"a":null}}"#), |_| {}), Err(Error::Member(_))));
    assert!(denied(CODE, |message| message[0]["fcParams"] = Value::Null).is_err());
}

#[test]
fn a_denial_is_checked_like_any_answer_up_to_its_assertions() {
    let in_header = |name: &str, value: &str| denied(CODE, |message| message[0]["header"][name] = json!(value));
    assert_eq!(in_header("serverData", "AAAA").unwrap_err(), Error::ServerDataBroken);
    assert_eq!(in_header("appID", "https://other.example").unwrap_err(), Error::HeaderAppId);
    let in_params = |name: &str, value: &str| {
        denied(CODE, |message| {
            let text = decode(message[0]["fcParams"].as_str().unwrap()).unwrap();
            let mut params: Value = serde_json::from_slice(&text).unwrap();
            params[name] = json!(value);
            message[0]["fcParams"] = json!(encode(params.to_string().as_bytes()));
        })
    };
    assert_eq!(in_params("facetID", "https://evil.example").unwrap_err(), Error::UntrustedFacet);
    assert_eq!(in_params("challenge", &encode(&[3; 32])).unwrap_err(), Error::ChallengeMismatch);
}

#[test]
fn server_data_of_another_server_is_not_ours() {
    let other = sidegate_uaf::server_data::ServerDataKey::new(&[8; 32]).unwrap();
    let world = World::new();
    let (request, _) = world.start_registration(&[]);
    let text: ServerDataText = request.header.server_data.unwrap();
    assert_eq!(other.open(&text).unwrap_err(), Error::ServerDataBroken);
}

#[test]
fn an_answer_counts_for_the_user_whom_server_data_was_made_for() {
    let world = World::new();
    let (request, state) = world.start_registration(&[]);
    let (response, _) = world.phone.register(&request, &[]).unwrap();
    let of_eve = with_json(&state, |state| state["user"] = json!("eve"));
    let refused = world.finish_registration(&of_eve, &response.to_message()).unwrap_err();
    assert_eq!(refused, Error::ServerDataOfAnotherOperation);

    let (key, credential) = world.registered_key();
    let world = World { named: Some(("jeff", vec![credential.clone()])), ..world };
    let (request, state) = world.start_authentication();
    let response = world.phone.draft_authentication(&request, &key, &NONCE).unwrap().sign(key.private_key()).unwrap();
    for claimant in [json!({"Named": {"user": "eve", "exists": 1}}), json!("Anyone")] {
        let of_another = with_json(&state, |state| state["claimant"] = claimant);
        let refused =
            world.finish_authentication(&of_another, &response.to_message(), std::slice::from_ref(&credential));
        assert_eq!(refused.unwrap_err(), Error::ServerDataOfAnotherOperation);
    }
}

/// What was kept, with one thing changed.
fn with_json<T: serde::Serialize + serde::de::DeserializeOwned>(kept: &T, change: impl FnOnce(&mut Value)) -> T {
    let mut value = serde_json::to_value(kept).unwrap();
    change(&mut value);
    serde_json::from_value(value).unwrap()
}
