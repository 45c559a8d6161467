//! Memory that is needed soon. What belongs to one viewer lies in a few places that are cold when its turn comes, as the
//! kernel has copied megabytes since the last tick; asked for while the viewers before it are served, it is there in
//! time.

/// Starts to load `at` into the cache. Does nothing where there is no instruction for it.
#[inline]
pub(crate) fn prefetch<T>(at: &T) {
    prefetch_first(at, size_of::<T>());
}

/// Starts to load the first `bytes` of `at`.
#[inline]
#[allow(unsafe_code, reason = "a hint that reads nothing")]
pub(crate) fn prefetch_first<T>(at: &T, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        const LINE: usize = 64;
        let start = std::ptr::from_ref(at).cast::<i8>();
        let Some(last) = bytes.min(size_of::<T>()).checked_sub(1) else { return };
        // What does not begin with a line ends in one more.
        for offset in (0..last).step_by(LINE).chain([last]) {
            // SAFETY: a prefetch never faults, and the address lies within `at`.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(offset)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (at, bytes);
}
