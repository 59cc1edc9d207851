//! `POST /addresses`: a user adds an address.

use domain::error_codes;
use domain::people::{Address, AddressDraft, AddressView, Role, SignedIn};
use domain::resources::ADDRESSES;
use lifecycle::Endpoint;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::serve(|_| PostAddress)
}

struct PostAddress;

impl Endpoint for PostAddress {
    // 1. Routing
    const ROUTE: Route = Route::post("/addresses");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::SignedIn;

    const IDEMPOTENCY: Idempotency = Idempotency::Accepted;
    const BODY_BYTES_MAX: usize = 8 * 1024;
    const RESOURCES: Resources = &[Resource::Table(ADDRESSES, &[PutItem])];

    // 4. Deserialisation
    type Input = Json<AddressDraft>;

    // 5. Syntax validation
    type Command = AddressDraft;

    // 6. Retrieval: nothing is needed
    type Facts = ();

    async fn retrieve(&self, _: &Permit<SignedIn>, _: &AddressDraft) -> Retrieved<()> {
        Ok(())
    }

    // 3b. Authorization: the new address belongs to the caller
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<()> = Conditions::Creation(Some(error_codes::ID_TAKEN));

    // 7. Business rules
    type Outcome = Address;
    const ERRORS: &'static [ErrorCode] = &[error_codes::ID_TAKEN];

    fn decide(
        moment: &Moment,
        caller: &SignedIn,
        draft: &AddressDraft,
        (): (),
    ) -> Result<Address, DomainError> {
        Ok(Address::new(moment, caller.user_id, draft))
    }

    // 8. Side effects
    fn effects(address: &Address) -> Effects {
        let id_taken = error_codes::ID_TAKEN.at("/addressId", "is in use");
        Effects::none().write(Write::create(address).or_reject(id_taken))
    }

    // 9. Response
    type Reply = reply::Created<AddressView>;

    fn reply(address: Address) -> reply::Created<AddressView> {
        reply::Created::of(address.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::examples::{ann, moment, read, signed_in};

    #[test]
    fn a_new_address_belongs_to_its_caller() {
        let caller = signed_in(ann().user_id, &[Role::Customer]);
        let draft = read(serde_json::json!({
            "buildingNumber": 44, "streetName": "Street", "city": "City", "country": "DE"
        }));
        let address = PostAddress::decide(&moment(), &caller, &draft, ()).unwrap();
        assert_eq!(address.user_id, caller.user_id);
        assert_eq!(PostAddress::effects(&address).writes().len(), 1);
    }
}
