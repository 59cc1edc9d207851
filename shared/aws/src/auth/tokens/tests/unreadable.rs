//! Keys that cannot be read.

use lifecycle::testing::simulated::within;

use super::*;
use crate::every::tests::WallClock;

#[tokio::test(start_paused = true)]
async fn while_keys_cannot_be_read_unknown_ones_are_a_fault_and_known_verify() {
    // Made outside of the simulated surroundings, where all random bytes are the same.
    let (old, new, unknown) = (pair(), pair(), pair());
    // Its wall clock stands still: the first pause may last only 125 ms, and the test may be slow.
    within(Arc::<WallClock>::default(), async {
        let store = Store::of(&[&old]);
        let verifier = store.verifier();
        verifier.verify(&token(&old), at(1000)).await.unwrap();
        store.is_away();
        for _ in 0..20 {
            let verified = verifier.verify(&token(&new), at(1000)).await;
            assert!(matches!(verified, Err(TokenError::ServiceError(_))), "{verified:?}");
            verifier.verify(&token(&old), at(1000)).await.unwrap();
        }
        assert_eq!(store.reads.load(SeqCst), 2, "they are read again after a pause");
        store.holds(&[&old, &new]);
        advance(Duration::from_secs(1)).await;
        verifier.verify(&token(&new), at(1000)).await.unwrap();
        assert_eq!(refusal(&verifier, &token(&unknown)).await, "the key is unknown");
        assert_eq!(store.reads.load(SeqCst), 3);
    })
    .await;
}
