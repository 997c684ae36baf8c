//! Tag, length, value as the UAF authenticator commands define it: both UINT16 little-endian, nesting by tag
//! (UAF authenticator commands 1.1, section 3).
//!
//! ```
//! use sidegate_uaf::tlv::{self, Element, tag};
//!
//! # fn main() -> Result<(), tlv::TlvError> {
//! let mut bytes = Vec::new();
//! tlv::write(tag::AAID, b"D0D0#0001", &mut bytes)?;
//! assert_eq!(bytes[..4], [0x0b, 0x2e, 9, 0]);
//! let element = Element::single(&bytes)?;
//! assert_eq!((element.tag, element.value), (tag::AAID, &b"D0D0#0001"[..]));
//! # Ok(())
//! # }
//! ```

pub mod tag;

pub use tag::Tag;

/// What is wrong with the bytes of an assertion as TLV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlvError {
    /// The bytes end inside an element.
    #[error("an element is cut short")]
    Truncated,
    /// Bytes follow where nothing may follow.
    #[error("bytes are left over")]
    Leftover,
    /// The outermost tag is not the one of this kind of assertion.
    #[error("outer tag is {0}")]
    OuterTag(Tag),
    /// The signed object is not the first child.
    #[error("the signed object is not first")]
    SignedObjectNotFirst,
    /// A tag that may be there once is there again.
    #[error("{0} occurs twice")]
    Duplicate(Tag),
    /// A mandatory element is not there.
    #[error("{0} is missing")]
    Missing(Tag),
    /// A tag of the registry in a place where it has no meaning.
    #[error("{0} is misplaced")]
    Misplaced(Tag),
    /// A critical tag or critical extension which this server does not know.
    #[error("{0} is critical and unknown")]
    UnknownCritical(Tag),
    /// The value's length is not what the tag demands.
    #[error("{0} has a wrong length")]
    Length(Tag),
    /// The value is not of the form that the tag demands.
    #[error("{0} is malformed")]
    Malformed(Tag),
}

/// One element, borrowed from the bytes that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// The tag.
    pub tag: Tag,
    /// The value alone.
    pub value: &'a [u8],
    /// Tag, length and value: what a signature covers.
    pub whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// Reads the one element that `bytes` consist of.
    ///
    /// # Errors
    /// [`TlvError::Truncated`], or [`TlvError::Leftover`] when more follows.
    pub fn single(bytes: &'a [u8]) -> Result<Self, TlvError> {
        let mut elements = Elements(bytes);
        let element = elements.next().ok_or(TlvError::Truncated)??;
        if elements.0.is_empty() { Ok(element) } else { Err(TlvError::Leftover) }
    }

    /// The value's elements.
    #[must_use]
    pub fn children(&self) -> Elements<'a> {
        Elements(self.value)
    }
}

/// Reads one element after the other; the first fault is the last item.
#[derive(Debug, Clone, Copy)]
pub struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// Over all of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn split(bytes: &'a [u8]) -> Option<(Element<'a>, &'a [u8])> {
        let (tag, rest) = bytes.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_le_bytes(*length));
        let (value, rest) = rest.split_at_checked(length)?;
        let whole = bytes.get(..4 + length)?;
        Some((Element { tag: Tag(u16::from_le_bytes(*tag)), value, whole }, rest))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, TlvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        match Self::split(self.0) {
            Some((element, rest)) => {
                self.0 = rest;
                Some(Ok(element))
            }
            None => {
                self.0 = &[];
                Some(Err(TlvError::Truncated))
            }
        }
    }
}

/// Appends one element.
///
/// # Errors
/// [`TlvError::Length`] for a value of more than 65 535 bytes.
pub fn write(tag: Tag, value: &[u8], to: &mut Vec<u8>) -> Result<(), TlvError> {
    let length = u16::try_from(value.len()).map_err(|_| TlvError::Length(tag))?;
    to.extend_from_slice(&tag.0.to_le_bytes());
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_element_is_read_with_the_range_that_is_signed() {
        let bytes = [0x0b, 0x2e, 2, 0, b'a', b'b'];
        let element = Element::single(&bytes).unwrap();
        assert_eq!((element.tag, element.value, element.whole), (tag::AAID, &b"ab"[..], &bytes[..]));
        assert_eq!(Element::single(&[0x0b, 0x2e, 0, 0, 9]), Err(TlvError::Leftover));
        assert_eq!(Element::single(&[]), Err(TlvError::Truncated));
        assert_eq!(write(tag::AAID, &[0; 65_536], &mut Vec::new()), Err(TlvError::Length(tag::AAID)));
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_covers_what_it_read(bytes: Vec<u8>) {
            let mut covered = 0;
            for element in Elements::new(&bytes).map_while(Result::ok) {
                prop_assert_eq!(element.whole, &bytes[covered..covered + element.whole.len()]);
                prop_assert_eq!(element.whole.len(), element.value.len() + 4);
                covered += element.whole.len();
            }
            let faulty = Elements::new(&bytes).any(|element| element.is_err());
            prop_assert_eq!(faulty, covered < bytes.len());
        }

        #[test]
        fn what_was_written_is_read(list in prop::collection::vec((any::<u16>(), any::<Vec<u8>>()), 0..9)) {
            let mut bytes = Vec::new();
            for (tag, value) in &list {
                write(Tag(*tag), value, &mut bytes).unwrap();
            }
            let read: Vec<_> = Elements::new(&bytes).map(|e| e.map(|e| (e.tag.0, e.value.to_vec())).unwrap()).collect();
            prop_assert_eq!(read, list);
        }
    }
}
