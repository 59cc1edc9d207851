//! Ids of articles.

use lifecycle::newtypes::uuid_id;

uuid_id! {
    /// The id of an article.
    ArticleId
}
