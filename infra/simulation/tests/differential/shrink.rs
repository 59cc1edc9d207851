//! Makes a failing list of operations shorter.

/// The shortest list found in which `fails` still finds a difference: parts are left out, from
/// halves down to single operations.
pub(crate) fn shrunk<T: Clone>(mut list: Vec<T>, fails: impl Fn(&[T]) -> bool) -> Vec<T> {
    let mut size = list.len() / 2;
    while size > 0 {
        let mut start = 0;
        while start < list.len() {
            let end = (start + size).min(list.len());
            let without: Vec<T> = list[..start].iter().chain(&list[end..]).cloned().collect();
            if fails(&without) {
                list = without;
            } else {
                start = end;
            }
        }
        size /= 2;
    }
    list
}

#[test]
fn a_list_is_shrunk_to_the_operations_that_matter() {
    let fails = |list: &[u32]| list.contains(&7) && list.contains(&70);
    assert_eq!(shrunk((0..100).collect(), fails), [7, 70]);
}
