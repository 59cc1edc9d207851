//! `GET /products`: the catalogue, by default with the oldest product first; or the product with a
//! given name.

use aws::{CURSOR_KEY, Pages, Range, Table};
use domain::catalogue::{NameClaim, Product, ProductName, ProductView, StockPart, StockedProduct};
use domain::resources::{BY_CREATION, PRODUCTS};
use lifecycle::paging::{Cursor, Direction, PageLimit};
use lifecycle::prelude::*;
use lifecycle::record::Key;
use lifecycle::{Query, ServiceError};
use schemars::JsonSchema;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| ListProducts {
        catalogue: aws.pages(ListProducts::ROUTE),
        names: aws.table(),
        products: aws.table(),
        parts: aws.table(),
    })
}

struct ListProducts {
    catalogue: Pages<Product>,
    names: Table<NameClaim>,
    products: Table<Product>,
    parts: Table<StockPart>,
}

impl Query for ListProducts {
    // 1. Routing
    const ROUTE: Route = Route::get("/products");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const RESOURCES: Resources = &[
        Resource::Index(PRODUCTS, BY_CREATION),
        Resource::Table(PRODUCTS, &[BatchGetItem, GetItem]),
        Resource::Secret(CURSOR_KEY),
    ];

    // 4. Deserialisation
    type Input = QueryString<Parameters>;

    // 5. Syntax validation
    type Command = Wanted;

    // 6. Retrieval
    type Facts = Page<StockedProduct>;

    async fn retrieve(
        &self,
        permit: &Permit<Anyone>,
        wanted: &Wanted,
    ) -> Retrieved<Page<StockedProduct>> {
        let Wanted { name, page } = wanted;
        let found = match name {
            None => self.catalogue.page(permit, Range::sharded(BY_CREATION), page).await?,
            Some(name) => Page {
                items: self.named(permit, name).await?.into_iter().collect(),
                limit: page.limit,
                order: page.direction,
                next_cursor: None,
            },
        };
        // Few products have their stock in parts. A part that cannot be read counts as missing.
        let part_keys: Vec<Key> = found.items.iter().flat_map(Product::part_keys).collect();
        let parts = self.parts.get_many_readable(permit, &part_keys).await?;
        Ok(found.map(|product| StockedProduct::of(product, &parts)))
    }

    // 3b. Authorization: the catalogue is public
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<Page<ProductView>>;

    fn reply(page: Page<StockedProduct>) -> reply::Ok<Page<ProductView>> {
        reply::Ok::of(page.map(ProductView::from))
    }
}

impl TryFrom<Parameters> for Wanted {
    type Error = FieldErrors;

    fn try_from(parameters: Parameters) -> Result<Self, FieldErrors> {
        let Parameters { name, limit, order, cursor } = parameters;
        if name.is_some() && cursor.is_some() {
            return Err(FieldErrors::one("query.cursor", "must not be combined with a name"));
        }
        let page = PageQuery { limit, order, cursor }.of_list(Direction::Ascending);
        Ok(Self { name, page })
    }
}

impl ListProducts {
    /// The product that has claimed the name. Between the two reads it may have been renamed.
    async fn named(
        &self,
        permit: &Permit<Anyone>,
        name: &ProductName,
    ) -> Result<Option<Product>, ServiceError> {
        let claim = match self.names.get_readable(permit, &NameClaim::key_of(name)).await? {
            Some(claim) => Some(claim),
            // An earlier version claimed names exactly as they were typed.
            None => self.names.get_readable(permit, &NameClaim::typed_key_of(name)).await?,
        };
        let Some(claim) = claim else { return Ok(None) };
        let key = Product::key_of(claim.product_id);
        let product = self.products.get_readable(permit, &key).await?;
        Ok(product.filter(|product| NameClaim::are_one(&product.name, name)))
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
struct Parameters {
    /// The name of one product, in any case.
    #[serde(default)]
    name: Option<ProductName>,
    /// The maximum number of products; by default 20.
    #[serde(default)]
    limit: Option<PageLimit>,
    /// Oldest first or newest first; by default oldest first.
    #[serde(default)]
    order: Option<Direction>,
    /// The `nextCursor` of the previous page, in the same order.
    #[serde(default)]
    cursor: Option<Cursor>,
}

/// A page of the catalogue, or the name of one product.
#[derive(Debug)]
struct Wanted {
    name: Option<ProductName>,
    page: PageRequest,
}
