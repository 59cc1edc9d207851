//! Upstreams: services of third parties.

use http::{Request, Response};

use crate::Millis;
use crate::random::Random;

/// A service of a third party. Each run begins with a clone of it.
///
/// It answers as documented. The world draws whether it is slow, fails, or answers with something
/// else.
pub trait Upstream: Send {
    /// Answers a request, and changes its state by it.
    fn answer(
        &mut self,
        request: &Request<Vec<u8>>,
        now: Millis,
        random: &mut dyn Random,
    ) -> Response<Vec<u8>>;

    /// A body that it does not document, with status 200.
    fn wrong_answer(
        &mut self,
        _request: &Request<Vec<u8>>,
        random: &mut dyn Random,
    ) -> Response<Vec<u8>> {
        const WRONG: [&[u8]; 5] = [b"", b"{", b"null", b"[[]]", b"<html>Bad gateway</html>"];
        Response::new(WRONG[random.index(WRONG.len())].to_vec())
    }
}

/// A function is an upstream without state.
impl<F> Upstream for F
where
    F: Fn(&Request<Vec<u8>>) -> Response<Vec<u8>> + Send,
{
    fn answer(
        &mut self,
        request: &Request<Vec<u8>>,
        _now: Millis,
        _random: &mut dyn Random,
    ) -> Response<Vec<u8>> {
        self(request)
    }
}

/// An upstream that can be cloned for each run.
pub(super) trait AnyUpstream: Send + Sync {
    fn begin(&self) -> Box<dyn Upstream>;
}

impl<U: Upstream + Clone + Sync + 'static> AnyUpstream for U {
    fn begin(&self) -> Box<dyn Upstream> {
        Box::new(self.clone())
    }
}
