//! `PATCH /products/{productId}`: a merchant changes their product.
//!
//! Readers of the catalogue cache a product, so a change shows everywhere only after that time.
//! Orders use the stored product.

use aws::{Aws, Looked, OrNotFound, Table, batch_get};
use domain::catalogue::{
    NameClaim, Product, ProductId, ProductPatch, ProductView, StockPart, StockedProduct,
};
use domain::error_codes;
use domain::people::{Role, SignedIn};
use domain::resources::PRODUCTS;
use lifecycle::prelude::*;
use lifecycle::record::Key;
use lifecycle::{Endpoint, ServiceError};

pub(crate) fn main() -> ExitCode {
    aws::serve(build)
}

fn build(aws: &Aws) -> PatchProduct {
    PatchProduct { products: aws.table(), parts: aws.table(), names: aws.table() }
}

struct PatchProduct {
    products: Table<Product>,
    parts: Table<StockPart>,
    names: Table<NameClaim>,
}

/// A patch, and the id of the product that it changes.
#[derive(Debug)]
struct Change {
    product_id: ProductId,
    patch: ProductPatch,
}

/// A product with the parts of its stock, and the keys of its claims to its name if that may change.
struct Stored {
    stocked: StockedProduct,
    claims: Vec<Key>,
}

/// A product before and after, the keys of its claims to its name before, and the writes of the
/// parts of its stock.
struct Changed {
    before: Product,
    after: StockedProduct,
    claims: Vec<Key>,
    parts: Vec<Write>,
}

impl Endpoint for PatchProduct {
    // 1. Routing
    const ROUTE: Route = Route::patch("/products/{productId}");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Merchant, Role::Admin]);

    const BODY_BYTES_MAX: usize = 32 * 1024;
    const RESOURCES: Resources =
        &[Resource::Table(PRODUCTS, &[GetItem, BatchGetItem, PutItem, UpdateItem, DeleteItem])];

    // 4. Deserialisation
    type Input = (Path<ProductId>, Json<ProductPatch>);

    // 5. Syntax validation
    type Command = Change;

    // 6. Retrieval: the product, the parts of its stock, and for a new name its claims
    type Facts = Stored;

    async fn retrieve(&self, permit: &Permit<SignedIn>, change: &Change) -> Retrieved<Stored> {
        let key = Product::key_of(change.product_id);
        let product = self.products.get(permit, &key).await?.or_not_found()?;
        let claims = match change.patch.name.get() {
            Some(_) => self.claims(permit, &product).await?,
            None => Vec::new(),
        };
        if product.stock_parts.is_none() {
            return Ok(Stored { stocked: StockedProduct { product, parts: Vec::new() }, claims });
        }
        let parts = batch_get(permit, self.parts.many(product.part_keys())).await?;
        let parts = parts.into_iter().flatten().collect();
        Ok(Stored { stocked: StockedProduct { product, parts }, claims })
    }

    // 3b. Authorization: 403 and not 404, since the catalogue is public
    const ALLOW: Allow<Self> = Allow::ForbidUnless(|caller: &SignedIn, _, stored: &Stored| {
        caller.is_or_administers(stored.stocked.product.owner_id)
    });

    const CONDITIONS: Conditions<Stored> =
        Conditions::On(|stored| Some(stored.stocked.entity_tag()));

    // 7. Business rules: every valid change is allowed
    type Outcome = Changed;
    const ERRORS: &'static [ErrorCode] = &[error_codes::NAME_TAKEN];

    fn decide(
        moment: &Moment,
        _: &SignedIn,
        change: &Change,
        Stored { stocked, claims }: Stored,
    ) -> Result<Changed, DomainError> {
        let (after, parts) = stocked.changed_by(&change.patch, moment.now());
        Ok(Changed { before: stocked.product, after, claims, parts })
    }

    // 8. Side effects. A sale increases the version too, so that no change undoes a sale.
    fn effects(Changed { before, after, claims, parts }: &Changed) -> Effects {
        let after = &after.product;
        let effects = Effects::none().write(Write::replace(after, before.version));
        let effects = effects.writes_of(parts.iter().cloned());
        if after.name == before.name {
            return effects;
        }
        let name_taken = error_codes::NAME_TAKEN.at("/name", "is in use");
        effects.writes_of(after.name_claim().take(claims, &name_taken))
    }

    // 9. Response
    type Reply = reply::Ok<ProductView>;

    fn reply(Changed { after, .. }: Changed) -> reply::Ok<ProductView> {
        let tag = after.entity_tag();
        reply::Ok::of(after.into()).tagged(tag)
    }
}

impl PatchProduct {
    /// The keys of the claims to its name that the product has.
    async fn claims(
        &self,
        permit: &Permit<SignedIn>,
        product: &Product,
    ) -> Result<Vec<Key>, ServiceError> {
        let keys = NameClaim::keys_of(&product.name);
        let found = batch_get(permit, self.names.many(keys.clone()).each()).await?;
        let own = keys.into_iter().zip(found).filter_map(|(key, found)| match found {
            Looked::Record(claim) if claim.product_id == product.product_id => Some(key),
            Looked::Record(_) | Looked::Nothing | Looked::Unreadable => None,
        });
        Ok(own.collect())
    }
}

impl TryFrom<(ProductId, ProductPatch)> for Change {
    type Error = FieldErrors;

    fn try_from((product_id, patch): (ProductId, ProductPatch)) -> Result<Self, FieldErrors> {
        Ok(Self { product_id, patch: patch.checked()? })
    }
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use domain::catalogue::TypedNameClaim;
    use domain::examples::{ann, claims_of, lamp, moment, read, signed_in};
    use domain::people::{User, UserId};
    use lifecycle::effects::{OnConditionFailed, WriteAction};
    use lifecycle::record::Record;
    use lifecycle::testing::{Memory, Request};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_product_is_changed_by_its_owner_and_by_admins() {
        let another = UserId::from(Uuid::nil());
        let change = change(json!({ "stock": 1 }));
        for (caller, verdict) in [
            (signed_in(ann().user_id, &[Role::Merchant]), Verdict::Allow),
            (signed_in(another, &[Role::Admin]), Verdict::Allow),
            (signed_in(another, &[Role::Merchant]), Verdict::Forbid),
        ] {
            assert_eq!(PatchProduct::ALLOW.verdict(&caller, &change, &lamps()), verdict);
        }
    }

    #[test]
    fn a_change_replaces_only_the_version_that_was_read() {
        let effects = PatchProduct::effects(&changed(json!({ "name": "Lamp", "stock": 1 })));
        let [write] = effects.writes() else { panic!("{effects:?}") };
        let replace = Write::replace(&lamp(), 1);
        assert_eq!((&write.condition, &write.key), (&replace.condition, &replace.key));
        assert!(matches!(write.on_condition_failed, OnConditionFailed::Retry));
    }

    #[test]
    fn a_rename_claims_the_new_name_and_frees_the_old_one_in_one_commit() {
        let effects = PatchProduct::effects(&changed(json!({ "name": "Lantern" })));
        let [_, take, typed, give_up, _] = effects.writes() else { panic!("{effects:?}") };
        assert_eq!((take.key.pk.as_str(), give_up.key.pk.as_str()), ("name#lantern", "name#lamp"));
        for take in [take, typed] {
            assert!(
                matches!(&take.on_condition_failed, OnConditionFailed::Reject(no) if no.code == "NAME_TAKEN")
            );
        }
        assert!(matches!(give_up.action, WriteAction::Delete));
    }

    #[tokio::test]
    async fn a_rename_keeps_the_claim_of_another_product_to_the_previous_name() {
        let memory = Memory::new();
        // The previous version allowed both names, and claimed them as they were typed.
        let (name, product_id) = (read(json!("lamp")), moment().id("other").into());
        let other = Product { name, product_id, ..lamp() };
        memory.put(&lamp());
        memory.put(&TypedNameClaim(lamp().name_claim()));
        memory.put(&other);
        memory.put(&TypedNameClaim(other.name_claim()));

        let patch_product = InMemory::new(&memory).endpoint(build);
        let merchant = User { roles: vec![Role::Merchant], ..ann() };
        let rename = Request::new().path("productId", lamp().product_id);
        let rename = rename.json(&json!({ "name": "Lantern" })).by(claims_of(&merchant));
        let answer = patch_product.ask(&rename).await;

        assert_eq!(answer.status, 200, "{}", answer.body);
        let claim = |key| memory.get::<NameClaim>(&key);
        assert_eq!(claim(NameClaim::key_of(&other.name)), Some(other.name_claim()));
        assert_eq!(claim(NameClaim::typed_key_of(&lamp().name)), None, "it is free");
    }

    #[test]
    fn a_lower_stock_than_the_parts_have_takes_the_difference_from_them() {
        let caller = signed_in(ann().user_id, &[Role::Merchant]);
        let split = StockedProduct::split(lamp(), 2);
        let keys: Vec<_> = split.parts.iter().map(Record::key).collect();
        let change = change(json!({ "stock": 1 }));
        let stored = Stored { stocked: split, claims: Vec::new() };
        let changed = PatchProduct::decide(&moment(), &caller, &change, stored).unwrap();
        let effects = PatchProduct::effects(&changed);
        let [product, first, second] = effects.writes() else { panic!("{effects:?}") };
        assert_eq!([&first.key, &second.key], [&keys[0], &keys[1]]);
        assert_eq!(product.key, lamp().key());
        assert_eq!(ProductView::from(changed.after).stock.get(), 1);
    }

    fn changed(patch: Value) -> Changed {
        let caller = signed_in(ann().user_id, &[Role::Merchant]);
        PatchProduct::decide(&moment(), &caller, &change(patch), lamps()).unwrap()
    }

    fn lamps() -> Stored {
        let claims = NameClaim::keys_of(&lamp().name);
        Stored { stocked: StockedProduct { product: lamp(), parts: Vec::new() }, claims }
    }

    fn change(patch: Value) -> Change {
        Change::try_from((lamp().product_id, read::<ProductPatch>(patch))).unwrap()
    }
}
