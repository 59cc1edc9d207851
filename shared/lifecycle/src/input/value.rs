//! A value of a document as a deserialiser. It is strict about types, accepts every spelling, and
//! reads only the values that a type asks for.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::document::{Document, Kind};
use super::error::Error;
use super::notes::{Notes, Path, Place};
use super::number;

/// A value, identified by its node in the document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'r> {
    pub(super) document: &'r Document<'r>,
    pub(super) node: usize,
    pub(super) at: &'r Path<'r>,
    pub(super) notes: &'r Notes,
}

impl<'r> Value<'r> {
    fn kind(self) -> Kind {
        self.document.kind(self.node)
    }

    /// The error if the value has another type than this.
    fn wanted(self, sentence: &'static str) -> Error {
        match self.kind() {
            Kind::Broken => Error::wanted(match self.at.place() {
                Place::Body => "must be Unicode; half of a surrogate pair is not",
                Place::Path | Place::Query | Place::Form | Place::Cookies => "must be UTF-8",
                Place::Headers => "must be visible ASCII characters",
            }),
            Kind::TooDeep => Error::wanted("is nested too deeply"),
            _ => Error::wanted(sentence),
        }
    }

    fn children(self) -> Children<'r> {
        let (next, end) = self.document.within(self.node);
        Children { of: self, next, end, index: 0 }
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match (self.kind(), self.document.text(self.node)) {
            (Kind::Text | Kind::Word, Cow::Borrowed(text)) => visitor.visit_str(text),
            (Kind::Text | Kind::Word, Cow::Owned(text)) => visitor.visit_string(text),
            _ => Err(self.wanted("must be a text")),
        }
    }

    fn whole(self) -> Result<i128, Error> {
        let number = match self.kind() {
            Kind::Number => number::whole(&self.document.text(self.node)),
            Kind::Word => number::spelled(&self.document.text(self.node)),
            _ => None,
        };
        let number = number.ok_or_else(|| self.wanted("must be a whole number"))?;
        Ok(number.get())
    }

    fn float(self) -> Result<f64, Error> {
        let read = match self.kind() {
            Kind::Number | Kind::Word => number::float(&self.document.text(self.node)),
            _ => Err(number::NO_NUMBER),
        };
        read.map_err(|sentence| self.wanted(sentence))
    }

    fn object<'de, V: Visitor<'de>>(
        self,
        fields: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.kind() != Kind::Object {
            return Err(self.wanted("must be an object"));
        }
        let children = self.children();
        let met = BTreeSet::new();
        let read = visitor.visit_map(Members { children, fields, met, value: None });
        self.notes.read_struct(fields.unwrap_or_default());
        read
    }
}

macro_rules! whole {
    ($($method:ident $visit:ident $type:ty;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let value = self.whole()?;
            match <$type>::try_from(value) {
                Ok(value) => visitor.$visit(value),
                Err(_) => visitor.visit_i128(value).map_err(|error: Error| {
                    error.or_worded(|| number::out_of(<$type>::MIN, <$type>::MAX))
                }),
            }
        })+
    };
}

macro_rules! text {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.text(visitor)
        })+
    };
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::True => visitor.visit_bool(true),
            Kind::False => visitor.visit_bool(false),
            Kind::Number => match self.whole() {
                Ok(whole) if i64::try_from(whole).is_ok() => self.deserialize_i64(visitor),
                Ok(whole) if u64::try_from(whole).is_ok() => self.deserialize_u64(visitor),
                _ => self.deserialize_f64(visitor),
            },
            Kind::Array => self.deserialize_seq(visitor),
            Kind::Object => self.deserialize_map(visitor),
            Kind::Text | Kind::Word | Kind::Broken | Kind::TooDeep => self.text(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match (self.kind(), &*self.document.text(self.node)) {
            (Kind::True, _) | (Kind::Word, "true") => visitor.visit_bool(true),
            (Kind::False, _) | (Kind::Word, "false") => visitor.visit_bool(false),
            _ => Err(self.wanted("must be true or false")),
        }
    }

    whole! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let number = number::held(self.whole()?, -number::WHOLE_MAX).map_err(Error::Worded)?;
        visitor.visit_i128(number)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let number = number::held(self.whole()?, 0).map_err(Error::Worded)?;
        visitor.visit_u128(number.unsigned_abs())
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let number = number::short(self.float()?).map_err(Error::wanted)?;
        visitor.visit_f64(number)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.float()?)
    }

    text! {
        deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_identifier
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::Null => visitor.visit_unit(),
            _ => Err(self.wanted("must be null")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::Array => visitor.visit_seq(self.children()),
            _ => Err(self.wanted("must be an array")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.object(None, visitor)
    }

    /// Accepts only an object: `serde` would also accept an array, with its elements as the fields.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.object(Some(fields), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.kind() == Kind::Object {
            return visitor.visit_enum(self);
        }
        match self.document.text(self.node) {
            text if matches!(self.kind(), Kind::Text | Kind::Word) => {
                visitor.visit_enum(name_in(&text))
            }
            _ => Err(self.wanted("must be a text")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

/// A deserialiser for the name of a field or of a variant.
fn name_in(text: &str) -> StrDeserializer<'_, Error> {
    StrDeserializer::new(text)
}

/// The remaining values of an array or object.
#[derive(Debug, Clone, Copy)]
struct Children<'r> {
    of: Value<'r>,
    next: usize,
    end: usize,
    index: usize,
}

impl<'de> SeqAccess<'de> for Children<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if self.next >= self.end {
            return Ok(None);
        }
        let at = self.of.at.element(self.index);
        let value = Value { node: self.next, at: &at, ..self.of };
        self.next = self.of.document.behind(self.next);
        self.index += 1;
        self.of.notes.note(&at, seed.deserialize(value)).map(Some)
    }
}

/// The remaining members of an object.
struct Members<'r> {
    children: Children<'r>,
    /// The known names; `None` if any name is allowed.
    fields: Option<&'static [&'static str]>,
    met: BTreeSet<Cow<'r, str>>,
    /// The name and the node of the next value.
    value: Option<(Cow<'r, str>, usize)>,
}

impl<'r> Members<'r> {
    /// Returns the error in the name of a member, which is then skipped.
    fn wrong(&mut self, node: usize, name: Cow<'r, str>) -> Option<&'static str> {
        let Value { document, at, .. } = self.children.of;
        if document.kind(node) == Kind::Broken {
            return Some("must have a name in Unicode; half of a surrogate pair is not");
        }
        match at.place() {
            _ if self.is_known(&name) => (!self.met.insert(name)).then_some("must not be repeated"),
            Place::Body | Place::Form => Some("is not a known field"),
            _ => Some("is not a known parameter"),
        }
    }

    fn is_known(&self, name: &str) -> bool {
        self.fields.is_none_or(|fields| fields.contains(&name))
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Error;

    /// Skips unknown fields, and repeated fields after the first.
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Children { of, end, .. } = self.children;
        while self.children.next < end {
            let node = self.children.next;
            let name = of.document.text(node);
            self.children.next = of.document.behind(node + 1);
            match self.wrong(node, name.clone()) {
                // A request has many headers and cookies that this endpoint does not read.
                Some(_) if !self.is_known(&name) && of.at.place().is_open() => {}
                Some(sentence) => of.notes.list(&of.at.member(&name), sentence),
                None => {
                    let key = seed.deserialize(name_in(&name));
                    self.value = Some((name, node + 1));
                    return key.map(Some);
                }
            }
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let of = self.children.of;
        let (name, node) = self.value.take().ok_or_else(|| Error::wanted("has no value"))?;
        let at = of.at.member(&name);
        let value = Value { node, at: &at, ..of };
        of.notes.note(&at, seed.deserialize(value))
    }
}

/// An object with one field, whose name is the variant and whose value is its content.
impl<'de> EnumAccess<'de> for Value<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Error> {
        let (name, end) = self.document.within(self.node);
        if name >= end || self.document.behind(name + 1) != end {
            return Err(Error::wanted("must have one field"));
        }
        let name_of_variant = self.document.text(name);
        let variant = seed.deserialize(name_in(&name_of_variant))?;
        Ok((variant, Value { node: name + 1, ..self }))
    }
}

impl<'de> VariantAccess<'de> for Value<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        if self.kind() == Kind::Null { Ok(()) } else { Err(self.wanted("must be null")) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.object(Some(fields), visitor)
    }
}
