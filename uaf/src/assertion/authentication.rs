//! AUTH_ASSERTION: the signed data and its signature.

use super::Common;
use super::fields::{Once, outer, signed_first, sort, sort_signed};
use crate::algorithm::Algorithm;
use crate::error::Error;
use crate::tlv::{Element, tag};

/// Proof of possession of a registered key.
#[derive(Debug, Clone)]
pub struct AuthenticationAssertion<'a> {
    /// What every assertion has.
    pub common: Common<'a>,
    /// What the user did.
    pub mode: Mode,
    /// The hash of the transaction content; empty unless the user confirmed one.
    pub transaction_hash: &'a [u8],
}

/// What the user did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Proved to be there.
    UserVerified,
    /// Saw a transaction and confirmed it.
    TransactionConfirmed,
}

impl<'a> AuthenticationAssertion<'a> {
    /// Parses the bytes of an assertion; nothing is verified.
    ///
    /// # Errors
    /// [`Error::Tlv`], [`Error::Mode`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let outer = outer(bytes, tag::AUTH_ASSERTION)?;
        let (signed, rest) = signed_first(&outer, tag::SIGNED_DATA)?;
        let mut signature = Once::new(tag::SIGNATURE);
        let mut first = Once::filled(tag::SIGNED_DATA, signed.value);
        sort(rest, &mut [&mut signature, &mut first])?;
        Self::of_signed_data(&signed, signature.take()?)
    }

    fn of_signed_data(signed: &Element<'a>, signature: &'a [u8]) -> Result<Self, Error> {
        let mut aaid = Once::new(tag::AAID);
        let mut info = Once::new(tag::ASSERTION_INFO);
        let mut nonce = Once::new(tag::AUTHENTICATOR_NONCE);
        let mut hash = Once::new(tag::FINAL_CHALLENGE_HASH);
        let mut transaction = Once::new(tag::TRANSACTION_CONTENT_HASH);
        let mut key_id = Once::new(tag::KEYID);
        let mut counters = Once::new(tag::COUNTERS);
        let places = &mut [&mut aaid, &mut info, &mut nonce, &mut hash, &mut transaction, &mut key_id, &mut counters];
        sort_signed(signed.children(), places)?;

        let [v0, v1, mode, a0, a1] = info.take_array()?;
        nonce.take_within(8..=usize::from(u16::MAX))?;
        let algorithm = u16::from_le_bytes([a0, a1]);
        let common = Common {
            aaid: aaid.take_aaid()?,
            version: u16::from_le_bytes([v0, v1]),
            algorithm: Algorithm::try_from(algorithm).map_err(|_| algorithm),
            final_challenge_hash: hash.take()?,
            key_id: key_id.take_within(32..=2048)?,
            sign_counter: u32::from_le_bytes(counters.take_array()?),
            signed: signed.whole,
            signature,
        };
        let mode = match mode {
            1 => Mode::UserVerified,
            2 => Mode::TransactionConfirmed,
            _ => return Err(Error::Mode),
        };
        Ok(Self { common, mode, transaction_hash: transaction.take()? })
    }
}
