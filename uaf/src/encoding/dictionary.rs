//! Dictionaries are JSON objects. A derived `Deserialize` would also take an array with the values in the order of the
//! fields, so a struct derives it with `#[serde(remote = "Self")]` and becomes a dictionary here.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};

/// Reads an object, and nothing but an object, with `read`.
pub(crate) fn read_object<'de, D, T, F>(deserializer: D, read: F) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    F: ReadObject<'de, T>,
{
    deserializer.deserialize_map(Object(read, PhantomData))
}

/// How the members of an object become a `T`.
pub(crate) trait ReadObject<'de, T> {
    fn read<A: MapAccess<'de>>(self, members: MapAccessDeserializer<A>) -> Result<T, A::Error>;
}

struct Object<F, T>(F, PhantomData<T>);

impl<'de, T, F: ReadObject<'de, T>> Visitor<'de> for Object<F, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        self.0.read(MapAccessDeserializer::new(members))
    }
}

/// Makes dictionaries out of structs that derive `Deserialize` with `remote = "Self"`.
macro_rules! read_as_dictionary {
    ($($name:ty),* $(,)?) => {$(
        const _: () = {
            struct Members;

            impl<'de> $crate::encoding::dictionary::ReadObject<'de, $name> for Members {
                fn read<A: ::serde::de::MapAccess<'de>>(
                    self,
                    members: ::serde::de::value::MapAccessDeserializer<A>,
                ) -> Result<$name, A::Error> {
                    <$name>::deserialize(members)
                }
            }

            impl<'de> ::serde::Deserialize<'de> for $name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $crate::encoding::dictionary::read_object(deserializer, Members)
                }
            }
        };
    )*};
}

/// The same for structs that derive `Serialize` as well.
macro_rules! dictionary {
    ($($name:ty),* $(,)?) => {
        $crate::encoding::dictionary::read_as_dictionary!($($name),*);
        $(
            impl ::serde::Serialize for $name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    <$name>::serialize(self, serializer)
                }
            }
        )*
    };
}

pub(crate) use {dictionary, read_as_dictionary};
