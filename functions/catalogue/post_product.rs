//! `POST /products`: a merchant adds a product to the catalogue.

use std::process::ExitCode;

use domain::catalogue::{Product, ProductDraft, ProductView};
use domain::error_codes;
use domain::people::{Role, SignedIn};
use domain::resources::PRODUCTS;
use http::StatusCode;
use lifecycle::effects::{Effects, Write};
use lifecycle::idempotency::Idempotency;
use lifecycle::input::Json;
use lifecycle::resource::{Action, Resource};
use lifecycle::{
    Access, Conditions, DomainError, Endpoint, ErrorCode, FieldErrors, Moment, Permit, Reply,
    RetrieveError, Route, Verdict,
};

fn main() -> ExitCode {
    aws::serve(|_| PostProduct)
}

struct PostProduct;

impl Endpoint for PostProduct {
    // 1. Routing
    const ROUTE: Route = Route::post("/products");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Merchant, Role::Admin]);

    const IDEMPOTENCY: Idempotency = Idempotency::Accepted;
    const BODY_BYTES_MAX: usize = 32 * 1024;
    const RESOURCES: &'static [Resource] = &[Resource::Table(PRODUCTS, &[Action::PutItem])];

    // 4. Deserialisation
    type Input = Json<ProductDraft>;

    // 5. Syntax validation
    type Command = ProductDraft;

    fn parse(Json(draft): Json<ProductDraft>) -> Result<ProductDraft, FieldErrors> {
        Ok(draft)
    }

    // 6. Retrieval: none; a condition of the commit checks that the name is free
    type Facts = ();

    async fn retrieve(&self, _: &Permit<SignedIn>, _: &ProductDraft) -> Result<(), RetrieveError> {
        Ok(())
    }

    // 3b. Authorization: the role is enough
    fn allow(_: &SignedIn, _: &ProductDraft, (): &()) -> Verdict {
        Verdict::Allow
    }

    const CONDITIONS: Conditions<()> = Conditions::Creation(Some(error_codes::ID_TAKEN));

    // 7. Business rules
    type Outcome = Product;
    const ERRORS: &'static [ErrorCode] = &[error_codes::NAME_TAKEN, error_codes::ID_TAKEN];

    fn decide(
        moment: &Moment,
        caller: &SignedIn,
        draft: &ProductDraft,
        (): (),
    ) -> Result<Product, DomainError> {
        Ok(Product::new(moment, caller.user_id, draft))
    }

    // 8. Side effects
    fn effects(product: &Product) -> Effects {
        let name_taken = error_codes::NAME_TAKEN.at("/name", "is in use");
        let id_taken = error_codes::ID_TAKEN.at("/productId", "is in use");
        Effects::none()
            .writes_of(product.name_claim().create(&name_taken))
            .write(Write::create(product).or_reject(id_taken))
    }

    // 9. Response
    const STATUS: StatusCode = StatusCode::CREATED;
    type View = ProductView;

    fn reply(product: Product) -> Reply<ProductView> {
        let (path, tag) = (format!("/products/{}", product.product_id), product.entity_tag());
        Reply::created(product.into()).location(&path).tagged(tag)
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{ann, lamp};
    use lifecycle::effects::OnConditionFailed;

    use super::*;

    #[test]
    fn a_product_belongs_to_the_merchant_who_offers_it() {
        assert_eq!(lamp().owner_id, ann().user_id);
    }

    #[test]
    fn name_and_id_are_claimed_in_one_commit_with_an_error_code_for_each() {
        let effects = PostProduct::effects(&lamp());
        let codes: Vec<_> = effects
            .writes()
            .iter()
            .map(|write| match &write.on_condition_failed {
                OnConditionFailed::Reject(no) => no.code,
                OnConditionFailed::Retry => "stale",
            })
            .collect();
        assert_eq!(codes, ["NAME_TAKEN", "NAME_TAKEN", "ID_TAKEN"]);
    }

    #[test]
    fn the_view_shows_the_price_of_one_piece_after_the_discount() {
        let shown = serde_json::to_value(ProductView::from(lamp())).unwrap();
        assert_eq!(shown["price"]["amount"], 200);
        assert_eq!(shown["actualPrice"]["amount"], 180);
    }
}
