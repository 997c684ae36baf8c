//! Points of Curve25519 that OpenSSL would take without a look.

use std::cmp::Ordering;

use openssl::bn::{BigNum, BigNumContext};
use openssl::derive::Deriver;
use openssl::pkey::{PKey, Public};

use super::super::JwkError;

/// The field: 2^255 - 19.
const FIELD: &str = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";

/// d of the curve's equation (RFC 8032, section 5.1).
const D: &str = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3";

/// The y of the two pairs of points of order 8; the other small orders have y = 0, 1 and -1.
const ORDER_EIGHT: [&str; 2] = [
    "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
    "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
];

/// An Ed25519 key must be a canonical point of the curve, and none of those for which a signature can be made up
/// without a private key.
pub(super) fn check_edwards(encoded: &[u8]) -> Result<(), JwkError> {
    let mut big_endian: Vec<u8> = encoded.iter().rev().copied().collect();
    if let Some(first) = big_endian.first_mut() {
        *first &= 0x7f;
    }
    let (y, field) = (BigNum::from_slice(&big_endian)?, BigNum::from_hex_str(FIELD)?);
    if y.cmp(&field) != Ordering::Less || is_small_order(&y, &field)? || !is_on_curve(&y, &field)? {
        return Err(JwkError::Point);
    }
    Ok(())
}

fn is_small_order(y: &BigNum, field: &BigNum) -> Result<bool, JwkError> {
    let one = BigNum::from_u32(1)?;
    let mut minus_one = BigNum::new()?;
    minus_one.checked_sub(field, &one)?;
    let [first, second] = ORDER_EIGHT.map(BigNum::from_hex_str);
    Ok(y.num_bits() == 0 || [one, minus_one, first?, second?].contains(y))
}

/// Whether (y² - 1) / (dy² + 1) is a square, by Euler's criterion on the product of the two, which is one exactly then.
fn is_on_curve(y: &BigNum, field: &BigNum) -> Result<bool, JwkError> {
    let mut context = BigNumContext::new()?;
    let (one, d) = (BigNum::from_u32(1)?, BigNum::from_hex_str(D)?);
    let (mut square, mut numerator, mut denominator) = (BigNum::new()?, BigNum::new()?, BigNum::new()?);
    square.mod_sqr(y, field, &mut context)?;
    numerator.mod_sub(&square, &one, field, &mut context)?;
    let (mut scaled, mut product) = (BigNum::new()?, BigNum::new()?);
    scaled.mod_mul(&square, &d, field, &mut context)?;
    denominator.mod_add(&scaled, &one, field, &mut context)?;
    product.mod_mul(&numerator, &denominator, field, &mut context)?;
    let (mut less_one, mut half, mut power) = (BigNum::new()?, BigNum::new()?, BigNum::new()?);
    less_one.checked_sub(field, &one)?;
    half.rshift1(&less_one)?;
    power.mod_exp(&product, &half, field, &mut context)?;
    Ok(power == one)
}

/// An X25519 key must not be of small order: then every shared secret would be zero. OpenSSL notices when it derives.
pub(super) fn check_montgomery(key: &PKey<Public>) -> Result<(), JwkError> {
    let ours = PKey::generate_x25519()?;
    let mut deriver = Deriver::new(&ours)?;
    deriver.set_peer(key).map_err(|_| JwkError::Point)?;
    deriver.derive_to_vec().map(drop).map_err(|_| JwkError::Point)
}
