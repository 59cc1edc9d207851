//! Linearizability of a single record: whether one order of concurrent calls explains all their answers,
//! where each call has its effect at one moment between its beginning and its end.
//!
//! [`check`] searches such an order as Wing and Gong do, with the memory of Lowe. An oracle collects the
//! calls of a record with [`Requests`](crate::evidence::Requests), and checks them at rest:
//!
//! ```
//! use simulation::linearizability::{Call, Model, Verdict, check};
//!
//! /// The copies of a book that are not lent.
//! struct Shelf;
//!
//! #[derive(PartialEq, Eq)]
//! enum Operation {
//!     Borrow,
//!     Read(u32),
//! }
//!
//! impl Model for Shelf {
//!     type State = u32;
//!     type Operation = Operation;
//!
//!     fn apply(available: &u32, operation: &Operation) -> Option<u32> {
//!         match operation {
//!             Operation::Borrow => available.checked_sub(1),
//!             Operation::Read(seen) => (seen == available).then_some(*available),
//!         }
//!     }
//! }
//!
//! let borrow = Call { operation: Operation::Borrow, begin: 0, end: Some(4) };
//! let read = |begin, seen| Call { operation: Operation::Read(seen), begin, end: Some(begin + 1) };
//!
//! let concurrent = [borrow, read(2, 1)];
//! assert!(matches!(check::<Shelf>(1, &concurrent, 1_000), Verdict::Linearizable(_)));
//!
//! let [borrow, _] = concurrent;
//! assert_eq!(check::<Shelf>(1, &[borrow, read(6, 1)], 1_000), Verdict::NotLinearizable);
//! ```

use std::collections::HashSet;
use std::hash::Hash;

/// A record, and the effect of operations on it.
pub trait Model {
    /// The state of the record.
    type State: Clone + Eq + Hash;
    /// An operation with its answer, if it has one. Equal operations have equal effects.
    type Operation: PartialEq;

    /// The state after an operation. `None` if the operation cannot have this answer in this state.
    fn apply(state: &Self::State, operation: &Self::Operation) -> Option<Self::State>;
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<O> {
    /// The operation with its answer.
    pub operation: O,
    /// When it began, in any unit that orders the calls, such as the number of its event.
    pub begin: u64,
    /// When its answer came. A call without one has its effect at any later time, or never.
    pub end: Option<u64>,
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// There is an order, of these calls by their indexes.
    Linearizable(Vec<usize>),
    /// There is none.
    NotLinearizable,
    /// The search was given up after its steps: an oracle should fail, since there may be no order.
    Unknown,
}

/// Searches an order of the calls, in at most so many steps.
pub fn check<M: Model>(
    initial: M::State,
    calls: &[Call<M::Operation>],
    steps_max: usize,
) -> Verdict {
    // A call without an answer is tried last: most have had no effect.
    let mut tried: Vec<usize> = (0..calls.len()).collect();
    tried.sort_by_key(|index| (calls[*index].end.is_none(), calls[*index].end));
    let unanswered = calls.iter().filter(|call| call.end.is_none()).count();
    let mut search = Search::<M> {
        calls,
        tried,
        kinds: kinds::<M>(calls),
        done: vec![0; calls.len().div_ceil(64)],
        order: Vec::new(),
        seen: HashSet::new(),
        steps_left: steps_max,
    };
    // An order with few of them is found before the many that have more.
    let mut most = 0;
    loop {
        match search.explain(&initial, most) {
            Some(true) => return Verdict::Linearizable(search.order),
            Some(false) if most >= unanswered => return Verdict::NotLinearizable,
            Some(false) => {}
            None => return Verdict::Unknown,
        }
        search.seen.clear();
        most = if most < FEW { most + 1 } else { unanswered };
    }
}

/// The number of calls without an answer up to which orders are searched apart.
const FEW: usize = 6;

/// For each call without an answer, the first such call with an equal operation.
fn kinds<M: Model>(calls: &[Call<M::Operation>]) -> Vec<Option<usize>> {
    let unanswered = || calls.iter().enumerate().filter(|(_, call)| call.end.is_none());
    let first = |operation: &M::Operation| {
        unanswered().find(|(_, call)| call.operation == *operation).map(|(index, _)| index)
    };
    let kind = |call: &Call<M::Operation>| match call.end {
        None => first(&call.operation),
        Some(_) => None,
    };
    calls.iter().map(kind).collect()
}

struct Search<'a, M: Model> {
    calls: &'a [Call<M::Operation>],
    /// The indexes of the calls, in the order in which they are tried.
    tried: Vec<usize>,
    kinds: Vec<Option<usize>>,
    /// A bit for each call that is in the order.
    done: Vec<u64>,
    order: Vec<usize>,
    /// Sets of calls and states that lead nowhere.
    seen: HashSet<(Vec<u64>, M::State)>,
    steps_left: usize,
}

impl<M: Model> Search<'_, M> {
    /// Whether the other calls can follow, with at most so many of those without an answer. `None` if the
    /// steps are used up.
    fn explain(&mut self, state: &M::State, unanswered_max: usize) -> Option<bool> {
        let Some(first_end) = self.first_end() else { return Some(true) };
        self.steps_left = self.steps_left.checked_sub(1)?;
        if !self.seen.insert((self.done.clone(), state.clone())) {
            return Some(false);
        }
        let mut tried_kinds = HashSet::new();
        // The next call began before any of the others ended.
        for position in 0..self.tried.len() {
            let index = self.tried[position];
            if self.is_done(index) || self.calls[index].begin > first_end {
                continue;
            }
            let mut unanswered_max = unanswered_max;
            if let Some(kind) = self.kinds[index] {
                // Each call of this kind can also be next at any later time.
                if unanswered_max == 0 || !tried_kinds.insert(kind) {
                    continue;
                }
                unanswered_max -= 1;
            }
            let Some(next) = M::apply(state, &self.calls[index].operation) else { continue };
            self.set(index, true);
            self.order.push(index);
            if self.explain(&next, unanswered_max)? {
                return Some(true);
            }
            self.order.pop();
            self.set(index, false);
        }
        Some(false)
    }

    /// The first end among the calls that have an answer and are not in the order.
    fn first_end(&self) -> Option<u64> {
        let calls = self.calls.iter().enumerate();
        calls.filter(|(index, _)| !self.is_done(*index)).filter_map(|(_, call)| call.end).min()
    }

    fn is_done(&self, index: usize) -> bool {
        self.done[index / 64] & (1 << (index % 64)) != 0
    }

    fn set(&mut self, index: usize, done: bool) {
        let bit = 1 << (index % 64);
        if done {
            self.done[index / 64] |= bit;
        } else {
            self.done[index / 64] &= !bit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A register of a number.
    struct Register;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Operation {
        Write(u8),
        Read(u8),
    }
    use Operation::{Read, Write};

    impl Model for Register {
        type State = u8;
        type Operation = Operation;

        fn apply(state: &u8, operation: &Operation) -> Option<u8> {
            match operation {
                Write(value) => Some(*value),
                Read(value) => (value == state).then_some(*state),
            }
        }
    }

    fn verdict(calls: &[(Operation, u64, Option<u64>)]) -> Verdict {
        let calls = calls.iter().map(|(operation, begin, end)| Call {
            operation: *operation,
            begin: *begin,
            end: *end,
        });
        check::<Register>(0, &calls.collect::<Vec<_>>(), 10_000)
    }

    #[test]
    fn a_read_may_see_a_concurrent_write_or_not() {
        for seen in [0, 1] {
            let calls = [(Write(1), 0, Some(10)), (Read(seen), 5, Some(6))];
            assert!(matches!(verdict(&calls), Verdict::Linearizable(_)), "{seen}");
        }
    }

    #[test]
    fn a_read_after_a_write_that_sees_the_earlier_value_is_not_linearizable() {
        let stale = [(Write(1), 0, Some(1)), (Read(0), 2, Some(3))];
        assert_eq!(verdict(&stale), Verdict::NotLinearizable);
    }

    #[test]
    fn values_that_go_back_are_not_linearizable() {
        let back = [(Write(1), 0, Some(20)), (Read(1), 1, Some(2)), (Read(0), 3, Some(4))];
        assert_eq!(verdict(&back), Verdict::NotLinearizable);
    }

    #[test]
    fn a_write_without_an_answer_has_its_effect_late_or_never() {
        for seen in [[0, 0], [0, 1], [1, 1]] {
            let [first, second] = seen;
            let calls =
                [(Write(1), 0, None), (Read(first), 5, Some(6)), (Read(second), 8, Some(9))];
            assert!(matches!(verdict(&calls), Verdict::Linearizable(_)), "{seen:?}");
        }
        let twice = [
            (Write(1), 0, None),
            (Read(1), 1, Some(2)),
            (Write(2), 3, Some(4)),
            (Read(1), 5, Some(6)),
        ];
        assert_eq!(verdict(&twice), Verdict::NotLinearizable);
    }

    #[test]
    fn the_order_has_each_answered_call_once() {
        let calls: Vec<_> = (0..80).map(|at| (Write(1), at, Some(at + 3))).collect();
        let Verdict::Linearizable(mut order) = verdict(&calls) else { panic!("not explained") };
        order.sort_unstable();
        assert_eq!(order, (0..80).collect::<Vec<_>>());
    }

    #[test]
    fn many_writes_without_an_answer_do_not_use_up_the_steps() {
        let writes = (1..=30).map(|value| (Write(value), 0, None));
        let reads = (1..=20_u64).map(|at| (Read(0), 2 * at, Some(2 * at + 1)));
        let calls: Vec<_> = writes
            .chain(reads)
            .map(|(operation, begin, end)| Call { operation, begin, end })
            .collect();
        let verdict = check::<Register>(0, &calls, 30);
        assert!(matches!(verdict, Verdict::Linearizable(_)), "{verdict:?}");
    }

    #[test]
    fn one_of_many_writes_without_an_answer_is_found_at_any_place() {
        let writes = (0..200_u8).map(|at| (Write(at % 20), 0, None));
        let reads = (1..=20_u64).map(|at| (Read(u8::from(at > 10) * 7), 2 * at, Some(2 * at + 1)));
        let last = (Read(9), 60, Some(61));
        let calls: Vec<_> = writes
            .chain(reads)
            .chain([last])
            .map(|(operation, begin, end)| Call { operation, begin, end })
            .collect();
        let verdict = check::<Register>(0, &calls, 5_000);
        assert!(matches!(verdict, Verdict::Linearizable(_)), "{verdict:?}");
    }

    #[test]
    fn a_search_ends_after_its_steps() {
        let calls: Vec<_> = (0..8)
            .map(|value| Call { operation: Write(value), begin: 0, end: Some(9) })
            .chain([Call { operation: Read(99), begin: 10, end: Some(11) }])
            .collect();
        assert_eq!(check::<Register>(0, &calls, 20), Verdict::Unknown);
        assert_eq!(check::<Register>(0, &calls, 100_000), Verdict::NotLinearizable);
    }
}
