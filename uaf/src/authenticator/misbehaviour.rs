//! An authenticator that does one thing wrong, and signs it correctly all the same: each way that the list of bad input
//! names, as far as it is up to an authenticator and its client.
//!
//! What no authenticator can do wrong alone (replays, concurrent answers, requests of HTTP) takes two right answers.

mod bytes;
mod certificates;
mod list;
mod params;
mod signed;
mod stated;
mod text;

use std::fmt;

pub use list::Misbehaviour;
use list::Of::{Authentication, Both, Registration, Stated};
use list::PLAIN;
pub use params::Param;

use super::{AuthenticatorError, DeviceKey, Draft};
use crate::tlv::{Tag, tag};
use crate::wire::Operation;

const EVERYWHERE: [Tag; 5] = [tag::AAID, tag::ASSERTION_INFO, tag::FINAL_CHALLENGE_HASH, tag::KEYID, tag::COUNTERS];

impl Misbehaviour {
    /// Every way to be wrong in answers to this operation.
    pub fn all(operation: Operation) -> impl Iterator<Item = Self> {
        let (own, own_fixed) = match operation {
            Operation::Auth => {
                (&[tag::AUTHENTICATOR_NONCE, tag::TRANSACTION_CONTENT_HASH][..], &[tag::TRANSACTION_CONTENT_HASH][..])
            }
            _ => (&[tag::PUB_KEY][..], &[tag::PUB_KEY][..]),
        };
        let elements = move || EVERYWHERE.into_iter().chain(own.iter().copied());
        // A key id may be longer than this authenticator's, a nonce as well.
        let fixed = EVERYWHERE.into_iter().filter(|tag| *tag != tag::KEYID).chain(own_fixed.iter().copied());
        let params = || Param::ALL.into_iter();
        let plain = PLAIN.iter().copied().filter(move |fault| match fault.plain() {
            Some((_, Authentication, _)) => operation == Operation::Auth,
            Some((_, Registration, _)) => operation == Operation::Reg,
            Some((_, of, _)) => of == Both,
            None => false,
        });
        plain
            .chain(params().map(Self::WithoutParam))
            .chain(params().map(Self::EmptyParam))
            .chain(params().map(Self::MistypedParam))
            .chain(params().map(Self::OtherParam))
            .chain(elements().map(Self::Without))
            .chain(elements().map(Self::Twice))
            .chain(fixed.map(Self::Longer))
            .chain(elements().map(Self::Shorter))
    }

    /// Every way to be wrong in registrations that takes an authenticator with the attester of a
    /// [`Hierarchy`](super::Hierarchy), and a server that has its model's statement with this root.
    pub fn stated() -> impl Iterator<Item = Self> {
        PLAIN.iter().copied().filter(|fault| matches!(fault.plain(), Some((_, Stated, _))))
    }

    /// The one that [`fmt::Display`] writes so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::all(Operation::Reg).chain(Self::all(Operation::Auth)).chain(Self::stated());
        all.find(|misbehaviour| misbehaviour.to_string() == name)
    }

    /// What is wrong, in a sentence.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::WithoutParam(_) => "A member of fcParams is not there.",
            Self::EmptyParam(_) => "A member of fcParams is an empty string.",
            Self::MistypedParam(_) => "A member of fcParams is a number.",
            Self::OtherParam(_) => "A member of fcParams says something else.",
            Self::Without(_) => "An element of the signed object is not there.",
            Self::Twice(_) => "An element of the signed object is there twice.",
            Self::Longer(_) => "An element of the signed object is a byte too long.",
            Self::Shorter(_) => "An element of the signed object is too short.",
            plain => match plain.plain() {
                Some((_, _, about)) => about,
                None => "",
            },
        }
    }

    /// Whether [`Self::all`] has it for this operation.
    #[must_use]
    pub fn is_of(self, operation: Operation) -> bool {
        Self::all(operation).any(|other| other == self)
    }

    /// Whether this answer can be wrong so: what would be right in it is no misbehaviour.
    fn is_possible(self, draft: &Draft) -> bool {
        let has = match self {
            _ if matches!(self.plain(), Some((_, Stated, _))) => return draft.attester.is_some(),
            Self::UnshownRendering => draft.unshown.is_some(),
            Self::Unconfirmed | Self::HashUnconfirmed | Self::OtherContent | Self::HashOfEncoded => {
                draft.content.is_some()
            }
            Self::UnaskedConfirmation => draft.content.is_none(),
            Self::SameCounter | Self::LowerCounter | Self::ZeroCounter => draft.sign_counter() != 0,
            Self::Shorter(tag) => !draft.fields.get(tag).is_empty(),
            _ => true,
        };
        has && self.is_of(draft.header.op)
    }
}

impl fmt::Display for Misbehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let element = |tag: Tag| tag.name().unwrap_or_default().to_ascii_lowercase().replace('_', "-");
        match self {
            Self::WithoutParam(param) => write!(f, "without-{param}"),
            Self::EmptyParam(param) => write!(f, "empty-{param}"),
            Self::MistypedParam(param) => write!(f, "mistyped-{param}"),
            Self::OtherParam(param) => write!(f, "other-param-{param}"),
            Self::Without(tag) => write!(f, "without-{}", element(*tag)),
            Self::Twice(tag) => write!(f, "twice-{}", element(*tag)),
            Self::Longer(tag) => write!(f, "longer-{}", element(*tag)),
            Self::Shorter(tag) => write!(f, "shorter-{}", element(*tag)),
            other => f.write_str(other.plain().map_or("", |(name, ..)| name)),
        }
    }
}

impl Draft {
    /// The message that [`Self::sign`] would give, with this one thing wrong. It is signed after that is done, by the
    /// attester if there is one, so that no signature betrays it; only where the key or the signature itself is wrong
    /// there is none that could be right.
    ///
    /// # Errors
    /// [`AuthenticatorError`], [`AuthenticatorError::Misbehaviour`] above all.
    pub fn misbehave(mut self, how: Misbehaviour, key: &DeviceKey) -> Result<String, AuthenticatorError> {
        if !how.is_possible(&self) {
            return Err(AuthenticatorError::Misbehaviour(how));
        }
        let signer = stated::spoil(how, &mut self, key)?;
        signed::spoil(how, &mut self, key)?;
        let assertion = bytes::assertion(how, &self, &signer)?;
        Ok(text::spoil(how, &self.respond(assertion)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_of_one_misbehaviour_alone() {
        for operation in [Operation::Reg, Operation::Auth] {
            for misbehaviour in Misbehaviour::all(operation) {
                assert_eq!(Misbehaviour::named(&misbehaviour.to_string()), Some(misbehaviour));
            }
        }
        for misbehaviour in Misbehaviour::stated() {
            assert_eq!(Misbehaviour::named(&misbehaviour.to_string()), Some(misbehaviour));
            assert!(Misbehaviour::all(Operation::Reg).all(|other| other != misbehaviour));
        }
        assert_eq!(Misbehaviour::named(""), None);
    }

    #[test]
    fn an_element_is_wrong_where_it_stands() {
        let of = |name| {
            let how = Misbehaviour::named(name).unwrap();
            (how.is_of(Operation::Reg), how.is_of(Operation::Auth))
        };
        assert_eq!(of("without-pub-key"), (true, false));
        assert_eq!(of("without-authenticator-nonce"), (false, true));
        assert_eq!(of("longer-transaction-content-hash"), (false, true));
        assert_eq!(of("twice-counters"), (true, true));
    }
}
