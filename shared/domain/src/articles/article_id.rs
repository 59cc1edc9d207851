//! Ids of articles.

use crate::newtypes::uuid_id;

uuid_id! {
    /// The id of an article.
    ArticleId
}
