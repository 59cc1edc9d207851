//! Every error code of the domain: one list, so that no code is used twice or renamed.

lifecycle::error_codes! {
    /// Another user has this e-mail address.
    EMAIL_TAKEN: Conflict = "There is an account with this e-mail address.";
    /// Another product has this name.
    NAME_TAKEN: Conflict = "There is a product with this name.";
    /// The id that the client chose exists already.
    ID_TAKEN: Conflict = "This id is in use.";
    /// The user is unknown, or the password is wrong. Both give the same error.
    CREDENTIALS_WRONG: Unauthenticated = "The e-mail address or the password is wrong.";
    /// The account exists, but its e-mail address is not verified yet.
    EMAIL_NOT_VERIFIED: Forbidden = "The e-mail address of this account is not verified yet.";
    /// The verification is spent, has expired, or was never requested.
    VERIFICATION_SPENT: Gone = "This verification is spent or has expired.";
    /// The password is not the one of the sign-up.
    PASSWORD_WRONG: Unprocessable = "The password is not the one that was chosen.";
    /// The password reset is spent, has expired, or was never requested.
    PASSWORD_RESET_SPENT: Gone = "This reset of a password is spent or has expired.";
    /// Mail to this address bounces, or its recipient has complained. No client gets this error.
    ADDRESS_UNDELIVERABLE: Unprocessable = "No mail is sent to this address any more.";
    /// The address has had as many mails today as strangers may cause. No client gets this error.
    ADDRESS_MAILED_ENOUGH: Unprocessable = "This address gets no more of these mails today.";
    /// The password is little more than the address or the name of the account.
    PASSWORD_GUESSABLE: Unprocessable = "The password is too much like the account's own data.";
    /// An ordered product does not exist.
    PRODUCT_UNKNOWN: Unprocessable = "A product does not exist.";
    /// An ordered product is not for sale.
    PRODUCT_UNAVAILABLE: Unprocessable = "A product is not available.";
    /// The address does not exist, or belongs to another user.
    ADDRESS_UNKNOWN: Unprocessable = "The address does not exist.";
    /// The ordered products have prices in several currencies.
    CURRENCY_MIXED: Unprocessable = "All products of an order must have the same currency.";
    /// Shipping has no price in the currency of the ordered products.
    SHIPPING_UNAVAILABLE: Unprocessable = "There is no shipping price in the order's currency.";
    /// There are fewer pieces than were ordered.
    OUT_OF_STOCK: Unprocessable = "There are not enough pieces of a product.";
    /// There are enough pieces, but the stock of several products is in more parts than one order
    /// can take from.
    STOCK_SCATTERED: Conflict = "The order takes from too many parts of the stock; order fewer products at a time.";
    /// More items than the rules allow in one order.
    TOO_MANY_ITEMS: Unprocessable = "The order has too many items.";
    /// More pieces than the rules allow of one item.
    QUANTITY_TOO_LARGE: Unprocessable = "Too many pieces of one item are ordered.";
    /// The order does not exist.
    ORDER_UNKNOWN: NotFound = "The order does not exist.";
    /// The order still waits for the approval of its customer.
    ORDER_PENDING: Conflict = "The order still waits for the approval of its customer.";
    /// The order was rejected, or timed out.
    ORDER_CLOSED: Conflict = "The order was rejected or has timed out.";
    /// The partner does not allow it.
    PARTNER_FORBIDDEN: Forbidden = "The partner does not allow this.";
    /// The partner considers the bill invalid.
    BILL_NOT_VALID: Unprocessable = "The partner considers the bill invalid.";
    /// The partner has closed the product.
    PRODUCT_CLOSED: Conflict = "The partner has closed the product.";
    /// The partner rejects our credentials.
    PARTNER_AUTHENTICATION_FAILED: BadGateway = "The partner rejected our credentials.";
    /// The partner fails, or its response is not as expected.
    PARTNER_ERROR: BadGateway = "The partner does not answer as it should.";
    /// Too few editors have approved the article as it is.
    APPROVALS_MISSING: Unprocessable = "Too few editors have approved the article as it is.";
    /// The editor is the article's author, or wrote some of its present words.
    OWN_ARTICLE: Unprocessable = "An editor cannot approve an article that holds words of their own.";
}
