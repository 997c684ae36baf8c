//! What the parsers of both assertions share: elements that occur once, fixed lengths, extensions.

use crate::aaid::Aaid;
use crate::tlv::{Element, Elements, Tag, TlvError, tag};

/// An element that has to be there exactly once.
pub(super) struct Once<'a> {
    tag: Tag,
    value: Option<&'a [u8]>,
}

impl<'a> Once<'a> {
    pub(super) const fn new(tag: Tag) -> Self {
        Self { tag, value: None }
    }

    /// A place that was filled already.
    pub(super) const fn filled(tag: Tag, value: &'a [u8]) -> Self {
        Self { tag, value: Some(value) }
    }

    fn put(&mut self, value: &'a [u8]) -> Result<(), TlvError> {
        match self.value.replace(value) {
            None => Ok(()),
            Some(_) => Err(TlvError::Duplicate(self.tag)),
        }
    }

    pub(super) fn take(self) -> Result<&'a [u8], TlvError> {
        self.value.ok_or(TlvError::Missing(self.tag))
    }

    /// The value, which must have exactly `N` bytes.
    pub(super) fn take_array<const N: usize>(self) -> Result<[u8; N], TlvError> {
        let tag = self.tag;
        self.take()?.try_into().map_err(|_| TlvError::Length(tag))
    }

    /// The value, which must have a length within the range.
    pub(super) fn take_within(self, lengths: std::ops::RangeInclusive<usize>) -> Result<&'a [u8], TlvError> {
        let tag = self.tag;
        let value = self.take()?;
        if lengths.contains(&value.len()) { Ok(value) } else { Err(TlvError::Length(tag)) }
    }

    pub(super) fn take_aaid(self) -> Result<Aaid, TlvError> {
        let tag = self.tag;
        Aaid::from_bytes(&self.take_array::<9>()?).map_err(|_| TlvError::Malformed(tag))
    }
}

/// Sorts elements into their places. Their order does not matter; a tag of the registry that has no place here, a
/// second one, and an unknown critical one refuse the whole.
pub(super) fn sort<'a>(elements: Elements<'a>, places: &mut [&mut Once<'a>]) -> Result<(), TlvError> {
    elements.into_iter().try_for_each(|element| place(&element?, places))
}

/// The same of a signed object, in which an authenticator may also tell once by which finger, and in which state of its
/// fingers, the user was verified. Nothing here asks for it; 32 bytes are what servers take.
pub(super) fn sort_signed<'a>(elements: Elements<'a>, places: &mut [&mut Once<'a>]) -> Result<(), TlvError> {
    let [mut index, mut state] = [tag::USER_VERIFICATION_INDEX, tag::USER_VERIFICATION_STATE].map(Once::new);
    for element in elements {
        let element = element?;
        match element.tag {
            tag::USER_VERIFICATION_INDEX => index.put(element.value)?,
            tag::USER_VERIFICATION_STATE => state.put(element.value)?,
            _ => place(&element, places)?,
        }
    }
    for told in [index, state].into_iter().filter(|told| told.value.is_some()) {
        told.take_within(1..=32)?;
    }
    Ok(())
}

fn place<'a>(element: &Element<'a>, places: &mut [&mut Once<'a>]) -> Result<(), TlvError> {
    match places.iter_mut().find(|place| place.tag == element.tag) {
        Some(place) => place.put(element.value),
        None => skip(element),
    }
}

/// Passes over an extension or an unknown element, if that is allowed.
pub(super) fn skip(element: &Element<'_>) -> Result<(), TlvError> {
    match element.tag {
        tag::EXTENSION => check_extension(element),
        tag::EXTENSION_CRITICAL => {
            check_extension(element)?;
            // This server knows no extension yet.
            Err(TlvError::UnknownCritical(element.tag))
        }
        other if other.may_be_skipped() => Ok(()),
        other if other.name().is_some() => Err(TlvError::Misplaced(other)),
        other => Err(TlvError::UnknownCritical(other)),
    }
}

fn check_extension(element: &Element<'_>) -> Result<(), TlvError> {
    let mut id = Once::new(tag::EXTENSION_ID);
    let mut data = Once::new(tag::EXTENSION_DATA);
    for child in element.children() {
        let child = child?;
        match child.tag {
            tag::EXTENSION_ID => id.put(child.value)?,
            tag::EXTENSION_DATA => data.put(child.value)?,
            other if other.may_be_skipped() => {}
            other => return Err(TlvError::Misplaced(other)),
        }
    }
    data.take()?;
    std::str::from_utf8(id.take_within(1..=32)?).map_err(|_| TlvError::Malformed(tag::EXTENSION_ID))?;
    Ok(())
}

/// The outermost element of an assertion.
pub(super) fn outer(bytes: &[u8], tag: Tag) -> Result<Element<'_>, TlvError> {
    let element = Element::single(bytes)?;
    if element.tag == tag { Ok(element) } else { Err(TlvError::OuterTag(element.tag)) }
}

/// The first child, which must be the signed object, and what follows it.
pub(super) fn signed_first<'a>(outer: &Element<'a>, tag: Tag) -> Result<(Element<'a>, Elements<'a>), TlvError> {
    let mut children = outer.children();
    let first = children.next().ok_or(TlvError::Missing(tag))??;
    if first.tag == tag { Ok((first, children)) } else { Err(TlvError::SignedObjectNotFirst) }
}
