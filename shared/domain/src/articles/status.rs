//! The status of an article.

use lifecycle::newtypes::wire_enum;

wire_enum! {
    /// The status of an article.
    ArticleStatus {
        /// Only its author, editors and holders of its share link may read it.
        Draft = "DRAFT",
        /// Every client may read it.
        Published = "PUBLISHED",
    }
}
