//! `POST /products`: a merchant adds a product to the catalogue.

use domain::catalogue::{Product, ProductDraft, ProductView};
use domain::error_codes;
use domain::people::{Role, SignedIn};
use domain::resources::PRODUCTS;
use lifecycle::Endpoint;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
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
    const RESOURCES: Resources = &[Resource::Table(PRODUCTS, &[PutItem])];

    // 4. Deserialisation
    type Input = Json<ProductDraft>;

    // 5. Syntax validation
    type Command = ProductDraft;

    // 6. Retrieval: none; a condition of the commit checks that the name is free
    type Facts = ();

    async fn retrieve(&self, _: &Permit<SignedIn>, _: &ProductDraft) -> Retrieved<()> {
        Ok(())
    }

    // 3b. Authorization: the role is enough
    const ALLOW: Allow<Self> = Allow::Always;

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
    type Reply = reply::Created<ProductView>;

    fn reply(product: Product) -> reply::Created<ProductView> {
        let (path, tag) = (format!("/products/{}", product.product_id), product.entity_tag());
        reply::Created::at(path, product.into()).tagged(tag)
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
