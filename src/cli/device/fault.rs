//! What a phone can be told to do wrong, by name.

use clap::Args;
use sidegate_uaf::authenticator::{AuthenticatorError, DeviceKey, Draft, Misbehaviour, Param};
use sidegate_uaf::tlv::tag;
use sidegate_uaf::wire::Operation;

use super::{PhoneError, say};
use crate::cli::program::command;

/// How many names stand in the place of a wrong one.
const NEAREST: usize = 3;

/// What the phone does wrong.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct Fault {
    /// Do this one thing wrong and sign it all the same, to see the gateway refuse it; `sidegate device misbehaviours`
    /// prints the names
    #[arg(long, value_name = "NAME", value_parser = named)]
    pub(super) misbehave: Option<Misbehaviour>,
}

impl Fault {
    /// The message of a draft, wrong if that was asked for.
    pub(super) fn sign(self, draft: Draft, key: &DeviceKey) -> Result<String, PhoneError> {
        let Some(how) = self.misbehave else { return Ok(draft.sign(key.private_key())?.to_message()) };
        say(format_args!("misbehaves ({how}): {}", how.about()));
        draft.misbehave(how, key).map_err(|why| with_need(how, why))
    }

    /// Sees that answers to this operation can be wrong so, before anything is sent.
    pub(super) fn check(self, operation: Operation) -> Result<(), PhoneError> {
        let of = if operation == Operation::Reg { "an authentication" } else { "a registration" };
        match self.misbehave {
            Some(how) if !how.is_of(operation) => {
                Err(PhoneError::Usage(format!("--misbehave {how} is for {of}: {}", how.about())))
            }
            _ => Ok(()),
        }
    }

    /// Sees that there is a channel to say something else of, before anything is sent.
    pub(super) fn check_channel(self, is_tls: bool) -> Result<(), PhoneError> {
        match self.misbehave {
            Some(how @ Misbehaviour::OtherParam(Param::ChannelBinding)) if !is_tls => {
                Err(PhoneError::Message(format!(
                    "{how} is not possible in this answer: a gateway knows its channel by its certificate, and this one is \
                 asked over plain http"
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Prints them all, one a line: the name, in whose answers, and what is wrong.
pub(super) fn list() {
    for how in all() {
        let of = match (how.is_of(Operation::Reg), how.is_of(Operation::Auth)) {
            (true, true) => "both",
            (true, false) => "register",
            _ => "approve",
        };
        say(format_args!("{:32} {of:9} {}{}", how.to_string(), how.about(), need(how)));
    }
}

/// What the answer has to be like, where a right one could not be told from it.
fn need(how: Misbehaviour) -> &'static str {
    match how {
        Misbehaviour::Unconfirmed
        | Misbehaviour::HashUnconfirmed
        | Misbehaviour::OtherContent
        | Misbehaviour::HashOfEncoded
        | Misbehaviour::Shorter(tag::TRANSACTION_CONTENT_HASH) => " Takes a transaction.",
        Misbehaviour::UnshownRendering => {
            " Takes a transaction with a picture that this phone can't show, dispatched to nobody in particular."
        }
        Misbehaviour::UnaskedConfirmation => " Takes a request without a transaction.",
        Misbehaviour::OtherParam(Param::ChannelBinding) => " Takes a gateway with TLS.",
        _ => "",
    }
}

/// An answer that can't be wrong so, with what it would have to be like.
fn with_need(how: Misbehaviour, why: AuthenticatorError) -> PhoneError {
    match (why, need(how)) {
        (why @ AuthenticatorError::Misbehaviour(_), need) if !need.is_empty() => {
            PhoneError::Message(format!("{why}.{need}"))
        }
        (why, _) => why.into(),
    }
}

/// Those of a phone whose keys attest themselves.
fn all() -> impl Iterator<Item = Misbehaviour> {
    let only_approving = Misbehaviour::all(Operation::Auth).filter(|how| !how.is_of(Operation::Reg));
    Misbehaviour::all(Operation::Reg).chain(only_approving)
}

fn named(name: &str) -> Result<Misbehaviour, String> {
    if let Some(how) = all().find(|how| how.to_string() == name) {
        return Ok(how);
    }
    if Misbehaviour::named(name).is_some() {
        return Err("it takes a phone that attests in full; the library has one, see uaf/README.md".into());
    }
    let mut names: Vec<_> = all().map(|how| how.to_string()).collect();
    names.sort_by_key(|known| distance(name, known));
    names.truncate(NEAREST);
    Err(format!("the nearest names are {}; {} prints all", names.join(", "), command("device misbehaviours")))
}

/// How many letters have to be put in, taken out or replaced to make the one of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (at, letter) in one.chars().enumerate() {
        let (mut before, mut left) = (at, at + 1);
        for (above, other) in row.iter_mut().skip(1).zip(other.chars()) {
            let replaced = before + usize::from(letter != other);
            before = *above;
            left = replaced.min(left + 1).min(before + 1);
            *above = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", "abc", 3)]
    #[case("abc", "c", 2)]
    #[case("sha1-hash", "sha1-hash", 0)]
    #[case("sha-hash", "sha1-hash", 1)]
    #[case("kitten", "sitting", 3)]
    #[case("abc", "cab", 2)]
    fn letters_that_differ_are_counted(#[case] one: &str, #[case] other: &str, #[case] count: usize) {
        assert_eq!(distance(one, other), count);
    }

    #[test]
    fn each_name_is_taken_and_a_wrong_one_is_told_the_nearest() {
        for how in all() {
            assert_eq!(named(&how.to_string()), Ok(how));
            assert!(!how.about().is_empty(), "{how}");
        }
        assert!(named("sha-hash").unwrap_err().starts_with("the nearest names are sha1-hash, "));
        assert!(named("expired-certificate").unwrap_err().contains("attests in full"));
    }

    #[test]
    fn what_is_not_possible_says_what_it_takes() {
        let told = |how| with_need(how, AuthenticatorError::Misbehaviour(how)).to_string();
        let expected = "unconfirmed is not possible in this answer. Takes a transaction.";
        assert_eq!(told(Misbehaviour::Unconfirmed), expected);
        assert!(told(Misbehaviour::SameCounter).ends_with("same-counter is not possible in this answer"));
    }

    #[test]
    fn what_the_other_ceremony_alone_can_have_is_refused() {
        let told = |how, operation| Fault { misbehave: Some(how) }.check(operation).unwrap_err().to_string();
        assert!(told(Misbehaviour::SameCounter, Operation::Reg).contains("same-counter is for an authentication"));
        assert!(told(Misbehaviour::ModeTwo, Operation::Auth).contains("mode-two is for a registration"));
        let named = |name| Misbehaviour::named(name).unwrap();
        assert!(told(named("without-pub-key"), Operation::Auth).contains("without-pub-key is for a registration"));
        assert!(told(named("without-authenticator-nonce"), Operation::Reg).contains("is for an authentication"));
        assert!(Fault { misbehave: Some(Misbehaviour::Sha1Hash) }.check(Operation::Reg).is_ok());
        assert!(Fault::default().check(Operation::Auth).is_ok());
    }
}
