//! `/docs`: Swagger UI, which shows the API's `OpenAPI` document and sends requests.
//!
//! The page is embedded and loads nothing from other addresses. Its requests go through
//! [`forward`](super::forward): the browser sees one origin, so the API needs no CORS for it.

mod archive;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use self::archive::{Archive, Entry};
use super::error::ControlError;

/// The Content-Security-Policy: files and responses of the page's own origin. Swagger UI embeds
/// styles and small images in the page. The console, which has the same origin, shows it in a frame.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'self'";

/// The files of Swagger UI that the page uses, with their media types.
const FILES: [(&str, &str); 5] = [
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
    ("LICENSE", "text/plain; charset=utf-8"),
    ("NOTICE", "text/plain; charset=utf-8"),
];

/// `GET /docs`: the page.
pub(super) async fn page() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    (headers, include_str!("page.html")).into_response()
}

/// `GET /docs/{file}`: one of the page's files.
pub(super) async fn file(Path(name): Path<String>) -> Result<Response, ControlError> {
    if name == "page.js" {
        let headers = [(CONTENT_TYPE, "text/javascript; charset=utf-8")];
        return Ok((headers, include_str!("page.js")).into_response());
    }
    let file = FILES.iter().find(|(file, _)| *file == name);
    let found = file.and_then(|(_, media_type)| {
        Some((Archive::SWAGGER_UI.find(&name)?, HeaderValue::from_static(media_type)))
    });
    let Some((entry, media_type)) = found else {
        return Err(ControlError::new(
            StatusCode::NOT_FOUND,
            format!("the page has no file {name}"),
        ));
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, media_type);
    // The files change only with the binary; a browser caches them for an hour.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    Ok(match entry {
        Entry::Gzip(bytes) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            (headers, bytes).into_response()
        }
        Entry::Stored(bytes) => (headers, bytes).into_response(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_in_the_archive() {
        for (name, _) in FILES {
            assert!(Archive::SWAGGER_UI.find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_page_names_only_files_that_are_served() {
        let page = include_str!("page.html");
        let named = page.split('"').filter_map(|text| text.strip_prefix("docs/"));
        let named: Vec<_> = named.collect();
        assert!(named.len() >= 4, "{named:?}");
        for name in named {
            let is_served = name == "page.js" || FILES.iter().any(|(file, _)| *file == name);
            assert!(is_served, "{name}");
        }
        assert!(!page.contains("://"), "the page uses no other address");
    }
}
