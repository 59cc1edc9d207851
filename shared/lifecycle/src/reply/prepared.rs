//! A view whose body is written once, for several responses.

use std::marker::PhantomData;

use serde_json::Value;

use super::{Body, View};
use crate::error::BoxError;

/// A view whose body is written already: for an endpoint that caches its answers. Its responses
/// share the bytes.
///
/// ```
/// use lifecycle::reply::{Prepared, View};
///
/// let shelf = Prepared::of("novels".to_owned()).unwrap();
/// assert_eq!(shelf.clone().body().unwrap(), r#"{"data":"novels"}"#);
/// assert_eq!(shelf.body().unwrap(), r#"{"data":"novels"}"#);
/// ```
#[derive(Debug)]
pub struct Prepared<V> {
    body: Body,
    view: PhantomData<fn() -> V>,
}

impl<V: View> Prepared<V> {
    /// Writes the body of a view.
    ///
    /// # Errors
    ///
    /// When the view cannot be written: a defect of its type.
    pub fn of(view: V) -> Result<Self, BoxError> {
        Ok(Self { body: view.body()?, view: PhantomData })
    }
}

impl<V> Clone for Prepared<V> {
    fn clone(&self) -> Self {
        Self { body: self.body.clone(), view: PhantomData }
    }
}

#[diagnostic::do_not_recommend]
impl<V: View> View for Prepared<V> {
    const MEDIA_TYPE: &'static str = V::MEDIA_TYPE;

    fn body(self) -> Result<Body, BoxError> {
        Ok(self.body)
    }

    fn schema() -> Value {
        V::schema()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Bare;

    #[test]
    fn a_prepared_view_is_described_as_the_view_and_shares_its_bytes() {
        let prepared = Prepared::of(Bare(7_u8)).unwrap();
        let (first, second) = (prepared.clone().body().unwrap(), prepared.body().unwrap());
        assert_eq!(first, "7");
        assert_eq!(first.as_ptr(), second.as_ptr());
        assert_eq!(<Prepared<Bare<u8>> as View>::schema(), <Bare<u8> as View>::schema());
        assert_eq!(<Prepared<Bare<u8>> as View>::MEDIA_TYPE, "application/json");
    }
}
