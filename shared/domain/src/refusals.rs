//! Every "no" of the domain: one list of codes, so that none is given twice or renamed.

use lifecycle::Rejection;
use lifecycle::failure::RejectionKind;

/// A business rule, or the present state, that says no.
///
/// ```
/// use domain::Refusal;
/// use lifecycle::Rejection;
/// let rejection = Rejection::from(Refusal::EmailTaken);
/// assert_eq!(rejection.code, "EMAIL_TAKEN");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Another user has this e-mail address.
    EmailTaken,
    /// Another product has this name.
    NameTaken,
    /// The id that the client chose exists already.
    IdTaken,
    /// No such user, or another password. The two are not told apart.
    CredentialsWrong,
    /// The account exists, but its e-mail address is not verified yet.
    EmailNotVerified,
    /// The verification is spent, expired, or was never asked for.
    VerificationSpent,
    /// An ordered product does not exist.
    ProductUnknown,
    /// An ordered product is not for sale.
    ProductUnavailable,
    /// The address does not exist, or is somebody else's.
    AddressUnknown,
    /// The ordered products have prices in several currencies.
    CurrencyMixed,
    /// Shipping has no price in the currency of the ordered products.
    ShippingUnavailable,
    /// There are fewer pieces than were ordered.
    OutOfStock,
    /// More items than the rules allow in one order.
    TooManyItems,
    /// More pieces than the rules allow of one item.
    QuantityTooLarge,
    /// The order does not exist.
    OrderUnknown,
    /// The order still waits for the approval of its customer.
    OrderPending,
    /// The order was rejected, or timed out.
    OrderClosed,
    /// The partner does not allow it.
    PartnerForbidden,
    /// The partner takes the bill for invalid.
    BillNotValid,
    /// The partner has closed the product.
    ProductClosed,
    /// The partner does not accept who we are.
    PartnerAuthenticationFailed,
    /// The partner fails, or answers what it should not.
    PartnerError,
    /// Too few editors have approved the article as it is.
    ApprovalsMissing,
    /// The article is the editor's own.
    OwnArticle,
}

impl Refusal {
    /// Names the part of the request that is at fault, as a JSON Pointer, with a sentence.
    pub fn at(self, field: impl Into<String>, message: impl Into<String>) -> Rejection {
        Rejection::from(self).at(field, message)
    }

    /// The code: released once, it is never renamed.
    const fn code(self) -> &'static str {
        match self {
            Self::EmailTaken => "EMAIL_TAKEN",
            Self::NameTaken => "NAME_TAKEN",
            Self::IdTaken => "ID_TAKEN",
            Self::CredentialsWrong => "CREDENTIALS_WRONG",
            Self::EmailNotVerified => "EMAIL_NOT_VERIFIED",
            Self::VerificationSpent => "VERIFICATION_SPENT",
            Self::ProductUnknown => "PRODUCT_UNKNOWN",
            Self::ProductUnavailable => "PRODUCT_UNAVAILABLE",
            Self::AddressUnknown => "ADDRESS_UNKNOWN",
            Self::CurrencyMixed => "CURRENCY_MIXED",
            Self::ShippingUnavailable => "SHIPPING_UNAVAILABLE",
            Self::OutOfStock => "OUT_OF_STOCK",
            Self::TooManyItems => "TOO_MANY_ITEMS",
            Self::QuantityTooLarge => "QUANTITY_TOO_LARGE",
            Self::OrderUnknown => "ORDER_UNKNOWN",
            Self::OrderPending => "ORDER_PENDING",
            Self::OrderClosed => "ORDER_CLOSED",
            Self::PartnerForbidden => "PARTNER_FORBIDDEN",
            Self::BillNotValid => "BILL_NOT_VALID",
            Self::ProductClosed => "PRODUCT_CLOSED",
            Self::PartnerAuthenticationFailed => "PARTNER_AUTHENTICATION_FAILED",
            Self::PartnerError => "PARTNER_ERROR",
            Self::ApprovalsMissing => "APPROVALS_MISSING",
            Self::OwnArticle => "OWN_ARTICLE",
        }
    }

    /// The status it becomes.
    const fn kind(self) -> RejectionKind {
        match self {
            Self::CredentialsWrong => RejectionKind::Unauthenticated,
            Self::EmailNotVerified | Self::PartnerForbidden => RejectionKind::Forbidden,
            Self::VerificationSpent => RejectionKind::Gone,
            Self::OrderUnknown => RejectionKind::NotFound,
            Self::EmailTaken
            | Self::NameTaken
            | Self::IdTaken
            | Self::OrderPending
            | Self::OrderClosed
            | Self::ProductClosed => RejectionKind::Conflict,
            Self::ProductUnknown
            | Self::ProductUnavailable
            | Self::AddressUnknown
            | Self::CurrencyMixed
            | Self::ShippingUnavailable
            | Self::OutOfStock
            | Self::TooManyItems
            | Self::QuantityTooLarge
            | Self::BillNotValid
            | Self::ApprovalsMissing
            | Self::OwnArticle => RejectionKind::Unprocessable,
            Self::PartnerAuthenticationFailed | Self::PartnerError => RejectionKind::BadGateway,
        }
    }

    /// The sentence for the client.
    const fn message(self) -> &'static str {
        match self {
            Self::EmailTaken => "There is an account with this e-mail address.",
            Self::NameTaken => "There is a product with this name.",
            Self::IdTaken => "This id is in use.",
            Self::CredentialsWrong => "The e-mail address or the password is wrong.",
            Self::EmailNotVerified => "The e-mail address of this account is not verified yet.",
            Self::VerificationSpent => "This verification is spent or has expired.",
            Self::ProductUnknown => "A product does not exist.",
            Self::ProductUnavailable => "A product is not available.",
            Self::AddressUnknown => "The address does not exist.",
            Self::CurrencyMixed => "All products of an order must have the same currency.",
            Self::ShippingUnavailable => "There is no shipping price in the order's currency.",
            Self::OutOfStock => "There are not enough pieces of a product.",
            Self::TooManyItems => "The order has too many items.",
            Self::QuantityTooLarge => "Too many pieces of one item are ordered.",
            Self::OrderUnknown => "The order does not exist.",
            Self::OrderPending => "The order still waits for the approval of its customer.",
            Self::OrderClosed => "The order was rejected or has timed out.",
            Self::PartnerForbidden => "The partner does not allow this.",
            Self::BillNotValid => "The partner does not take the bill for valid.",
            Self::ProductClosed => "The partner has closed the product.",
            Self::PartnerAuthenticationFailed => "The partner does not know us.",
            Self::PartnerError => "The partner does not answer as it should.",
            Self::ApprovalsMissing => "Too few editors have approved the article as it is.",
            Self::OwnArticle => "Nobody approves an article of their own.",
        }
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.kind(), refusal.code(), refusal.message())
    }
}
