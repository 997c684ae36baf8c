use proptest::prelude::*;

use super::*;

fn challenge(byte: u8) -> Challenge {
    Challenge::new([byte; 32]).unwrap()
}

fn key() -> ServerDataKey {
    ServerDataKey::new(&[7; 32]).unwrap()
}

fn binding(challenge: &Challenge) -> Binding<'_> {
    Binding {
        operation_id: "6d2c",
        operation: Operation::Auth,
        purpose: "transaction",
        user: Some("jeff"),
        challenge,
        expires_at: 1_700_000_000_000,
    }
}

#[test]
fn what_was_sealed_is_found_again() {
    let challenge = challenge(1);
    let opened = key().open(&key().seal(&binding(&challenge)).unwrap()).unwrap();
    assert_eq!(
        (opened.operation_id(), opened.purpose(), opened.expires_at()),
        ("6d2c", "transaction", 1_700_000_000_000)
    );
    for (user, made) in [(Some("jeff"), true), (Some("eve"), false), (None, false)] {
        assert_eq!(key().made_for(&opened, &challenge, user), Ok(made));
    }
    assert_eq!(key().made_for(&opened, &self::challenge(2), Some("jeff")), Ok(false));
    assert!(opened.is_for(Operation::Auth) && !opened.is_for(Operation::Reg));
    assert!(opened.issued_with(&challenge) && !opened.issued_with(&self::challenge(2)));
}

#[test]
fn every_part_of_the_binding_shows_in_the_text() {
    let (challenge, other) = (challenge(1), challenge(2));
    let right = binding(&challenge);
    let sealed = |binding: Binding<'_>| key().seal(&binding).unwrap().as_str().to_owned();
    for changed in [
        Binding { operation_id: "6d2d", ..right },
        Binding { operation: Operation::Reg, ..right },
        Binding { purpose: "in-band-login", ..right },
        Binding { user: Some("eve"), ..right },
        Binding { user: None, ..right },
        Binding { challenge: &other, ..right },
        Binding { expires_at: right.expires_at + 1, ..right },
        Binding { operation_id: "6d2ct", purpose: "ransaction", ..right },
    ] {
        assert_ne!(sealed(changed), sealed(right));
    }
    assert_eq!(sealed(right), sealed(right));
}

#[test]
fn nothing_can_be_read_from_it() {
    let (challenge, longest) = (challenge(1), "6d2c".repeat(16));
    let named = Binding { operation_id: &longest, ..binding(&challenge) };
    let bytes = encoding::decode(key().seal(&named).unwrap().as_str()).unwrap();
    for plain in ["jeff", "6d2c", "tran"] {
        assert!(!bytes.windows(4).any(|window| window == plain.as_bytes()), "{plain}");
    }
    let again = Binding { expires_at: named.expires_at + 1, ..named };
    let again = encoding::decode(key().seal(&again).unwrap().as_str()).unwrap();
    assert!(bytes.iter().zip(&again).filter(|(one, other)| one == other).count() < bytes.len() / 8);
}

#[test]
fn names_have_a_limit_and_the_longest_still_fit() {
    let challenge = challenge(1);
    let (longest, longer) = ("x".repeat(MAX_NAME), "x".repeat(MAX_NAME + 1));
    let right = binding(&challenge);
    assert!(key().seal(&Binding { operation_id: &longest, purpose: &longest, ..right }).is_ok());
    assert_eq!(key().seal(&Binding { operation_id: &longer, ..right }), Err(StartError::Name));
    assert_eq!(key().seal(&Binding { purpose: &longer, ..right }), Err(StartError::Name));
}

#[test]
fn no_changed_bit_and_no_other_key_opens_it() {
    let challenge = challenge(1);
    let text = key().seal(&binding(&challenge)).unwrap();
    let bytes = encoding::decode(text.as_str()).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = Text::new(encoding::encode(&changed)).unwrap();
        assert_eq!(key().open(&changed), Err(Error::ServerDataBroken));
    }
    let other = ServerDataKey::new(&[8; 32]).unwrap();
    assert_eq!(other.open(&text), Err(Error::ServerDataBroken));
    let padded = Text::new(format!("{}=", text.as_str())).unwrap();
    assert_eq!(key().open(&padded), Err(Error::ServerDataBroken));
}

#[test]
fn a_body_of_another_shape_does_not_open_even_with_a_right_mac() {
    let challenge = challenge(1);
    let bytes = encoding::decode(key().seal(&binding(&challenge)).unwrap().as_str()).unwrap();
    let (hidden, mac) = bytes.split_last_chunk::<MAC_SIZE>().unwrap();
    let body = &key().cipher.apply(&first_bytes(*mac), hidden).unwrap()[..];
    assert!(key().open(&key().close(body).unwrap()).is_ok());
    for body in [&[body, &[0]].concat()[..], &body[..body.len() - 1], &[0]] {
        assert_eq!(key().open(&key().close(body).unwrap()), Err(Error::ServerDataBroken));
    }
    let nothing = Text::new(encoding::encode(&key().mac(&[DOMAIN]).unwrap())).unwrap();
    assert_eq!(key().open(&nothing), Err(Error::ServerDataBroken));
}

#[test]
fn the_key_does_not_print() {
    assert_eq!(format!("{:?}", key()), "ServerDataKey");
}

proptest! {
    #[test]
    fn no_other_text_opens(text in "[A-Za-z0-9_-]{1,200}") {
        prop_assert_eq!(key().open(&Text::new(text).unwrap()), Err(Error::ServerDataBroken));
    }
}
