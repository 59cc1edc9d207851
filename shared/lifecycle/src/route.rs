//! Stage 1: the method and the path template that an endpoint answers.

use http::Method;

/// A method and a path template: `GET /users/{userId}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path template, a parameter as `{name}`.
    pub path: &'static str,
}

impl Route {
    /// A route for `GET`.
    pub const fn get(path: &'static str) -> Self {
        Self { method: Method::GET, path }
    }

    /// A route for `POST`.
    pub const fn post(path: &'static str) -> Self {
        Self { method: Method::POST, path }
    }

    /// A route for `PUT`.
    pub const fn put(path: &'static str) -> Self {
        Self { method: Method::PUT, path }
    }

    /// A route for `PATCH`.
    pub const fn patch(path: &'static str) -> Self {
        Self { method: Method::PATCH, path }
    }

    /// A route for `DELETE`.
    pub const fn delete(path: &'static str) -> Self {
        Self { method: Method::DELETE, path }
    }

    /// Whether a path, as it came, is one of this route's.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let mut given = path.trim_end_matches('/').split('/');
        let mut wanted = self.path.trim_end_matches('/').split('/');
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given)) if wanted == given => {}
                (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_for_one_segment_that_is_not_empty() {
        let route = Route::get("/users/{userId}");
        for (path, matches) in [
            ("/users/1", true),
            ("/users/1/", true),
            ("/users/", false),
            ("/users", false),
            ("/users/1/orders", false),
            ("/orders/1", false),
        ] {
            assert_eq!(route.matches(path), matches, "{path}");
        }
    }
}
