//! The JSON of newtypes: that of their value.

/// Implements `Serialize` as serde's derive does for a newtype. The derive would need serde among
/// the dependencies of the crate that uses the macro.
#[doc(hidden)]
#[macro_export]
macro_rules! serialize_inner {
    ($name:ident) => {
        impl $crate::reexport::serde::Serialize for $name {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: $crate::reexport::serde::Serializer,
            {
                serializer.serialize_newtype_struct(stringify!($name), &self.0)
            }
        }
    };
}
