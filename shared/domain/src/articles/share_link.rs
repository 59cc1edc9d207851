//! Share links, with which anyone may read a draft for a limited time.

use std::fmt;

use lifecycle::token::{self, KeptToken};
use lifecycle::{Moment, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Article;

impl Article {
    /// The lifetime of a link's token: 7 days.
    const SHARED_S: i64 = 7 * 24 * 60 * 60;

    /// The article with a new link, and the link with its token, which is shown only once. The
    /// previous link is revoked. `url` is the article's URL.
    #[must_use]
    pub fn shared(self, moment: &Moment, url: &str) -> (Self, ShareLinkView) {
        let token = token::fresh(moment, "share link");
        let kept = KeptToken::of(&token, moment.now(), Self::SHARED_S);
        let link = ShareLinkView {
            url: format!("{url}?share={token}"),
            token,
            expires_at: kept.expires_at,
        };
        (Self { share_link: Some(kept), ..self }.changed(moment.now()), link)
    }

    /// Whether this is the token of the article's link, and still valid.
    pub fn is_shared_by(&self, token: &str, now: Timestamp) -> bool {
        self.share_link.as_ref().is_some_and(|kept| kept.accepts(token, now))
    }
}

/// A share link as it is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShareLinkView {
    /// The token.
    pub token: String,
    /// The URL of the article with the token.
    pub url: String,
    /// When the token expires.
    pub expires_at: Timestamp,
}

impl fmt::Debug for ShareLinkView {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShareLinkView")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::articles::ArticleView;
    use crate::examples::{article, moment};

    const URL: &str = "https://api.example.com/articles/1";

    #[test]
    fn a_link_is_valid_for_7_days_and_a_new_one_revokes_it() {
        let (shared, link) = article().shared(&moment(), URL);
        assert_eq!(link.url, format!("{URL}?share={}", link.token));
        let at = |seconds| moment().now().plus_seconds(seconds);
        assert!(shared.is_shared_by(&link.token, at(7 * 24 * 60 * 60 - 1)));
        assert!(!shared.is_shared_by(&link.token, at(7 * 24 * 60 * 60)));

        let (again, another) = shared.shared(&Moment::new(at(0), [2; 32]), URL);
        assert!(!again.is_shared_by(&link.token, at(0)));
        assert!(again.is_shared_by(&another.token, at(0)));
        assert!(!article().is_shared_by("", at(0)), "an article without a link");
    }

    #[test]
    fn the_stored_article_its_view_and_the_log_do_not_hold_the_token() {
        let (shared, link) = article().shared(&moment(), URL);
        let stored = serde_json::to_string(&shared).unwrap();
        let view = serde_json::to_string(&ArticleView::from(shared)).unwrap();
        for text in [stored, view, format!("{link:?}")] {
            assert!(!text.contains(&link.token), "{text}");
        }
        assert!(format!("{link:?}").contains("expires_at"));
    }
}
