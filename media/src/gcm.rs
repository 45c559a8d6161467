//! An AES-GCM key that seals from one place into another, opens in place, and whose memory can be asked for ahead of time.
//!
//! `aws-lc-rs` does the same with the same code of AWS-LC, but keeps the expanded key where nobody can find it, and with
//! hundreds of viewers it is cold at the first packet of each, sent or received.
#![allow(unsafe_code, reason = "calls of AWS-LC on memory owned or borrowed here")]

use std::mem;
use std::ptr;

use aws_lc_sys::{
    EVP_AEAD_CTX, EVP_AEAD_CTX_cleanup, EVP_AEAD_CTX_init, EVP_AEAD_CTX_open_gather, EVP_AEAD_CTX_seal_scatter,
    EVP_aead_aes_128_gcm, EVP_aead_aes_256_gcm, OPENSSL_cleanse,
};

use crate::prefetch::prefetch;

/// Bytes of a nonce.
pub(crate) const NONCE: usize = 12;
/// Bytes of a tag.
pub(crate) const TAG: usize = 16;

/// What was opened is not what was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forged;

/// An expanded key.
pub(crate) struct Key {
    /// Boxed: it must not move.
    context: Box<EVP_AEAD_CTX>,
}

// SAFETY: the context holds no pointer to anything but static tables, and may be freed by any thread.
unsafe impl Send for Key {}

impl Key {
    /// A key of 16 or 32 bytes; none for other lengths.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        // SAFETY: no memory is passed; the tables live for ever.
        let algorithm = match key.len() {
            16 => unsafe { EVP_aead_aes_128_gcm() },
            32 => unsafe { EVP_aead_aes_256_gcm() },
            _ => return None,
        };
        // SAFETY: all-zero is the state before initialisation.
        let mut context: Box<EVP_AEAD_CTX> = Box::new(unsafe { mem::zeroed() });
        // SAFETY: the key lives through the call, in which it is expanded into the context.
        let done =
            unsafe { EVP_AEAD_CTX_init(&raw mut *context, algorithm, key.as_ptr(), key.len(), TAG, ptr::null_mut()) };
        (done == 1).then_some(Self { context })
    }

    /// Asks for the expanded key.
    pub(crate) fn prefetch(&self) {
        prefetch(&*self.context);
    }

    /// Encrypts `plain` into `sealed`, which is as long, and returns the tag over it and `aad`.
    ///
    /// # Panics
    /// When the lengths differ, or exceed the limit of GCM (64 GiB).
    pub(crate) fn seal(&self, nonce: [u8; NONCE], aad: &[u8], plain: &[u8], sealed: &mut [u8]) -> [u8; TAG] {
        assert_eq!(plain.len(), sealed.len(), "the cipher text is as long as the plain text");
        // SAFETY: both are valid for their length, and cannot overlap.
        unsafe { self.seal_raw(nonce, aad, plain.as_ptr(), sealed.as_mut_ptr(), sealed.len()) }
    }

    /// Encrypts `text` in place and returns the tag over it and `aad`.
    ///
    /// # Panics
    /// When the length exceeds the limit of GCM (64 GiB).
    pub(crate) fn seal_in_place(&self, nonce: [u8; NONCE], aad: &[u8], text: &mut [u8]) -> [u8; TAG] {
        let at = text.as_mut_ptr();
        // SAFETY: `text` is valid for its length, and is read and written at the same place.
        unsafe { self.seal_raw(nonce, aad, at, at, text.len()) }
    }

    /// Decrypts `text` in place, if `tag` is that over it and `aad`.
    ///
    /// # Errors
    /// [`Forged`] if it is not; `text` says nothing then.
    pub(crate) fn open_in_place(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Forged> {
        let at = text.as_mut_ptr();
        // SAFETY: all of it is borrowed or owned for the call, and `text` is read and written at the same place.
        let done = unsafe {
            EVP_AEAD_CTX_open_gather(
                &raw const *self.context,
                at,
                nonce.as_ptr(),
                NONCE,
                at,
                text.len(),
                tag.as_ptr(),
                tag.len(),
                aad.as_ptr(),
                aad.len(),
            )
        };
        if done == 1 { Ok(()) } else { Err(Forged) }
    }

    /// # Safety
    /// `plain` must be valid for reads and `sealed` for writes of `len` bytes; they are the same or do not overlap.
    unsafe fn seal_raw(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        plain: *const u8,
        sealed: *mut u8,
        len: usize,
    ) -> [u8; TAG] {
        let (mut tag, mut tag_len) = ([0; TAG], 0);
        // SAFETY: by the contract; everything else is borrowed or owned for the call. Nothing is appended.
        let done = unsafe {
            EVP_AEAD_CTX_seal_scatter(
                &raw const *self.context,
                sealed,
                tag.as_mut_ptr(),
                &raw mut tag_len,
                TAG,
                nonce.as_ptr(),
                NONCE,
                plain,
                len,
                ptr::null(),
                0,
                aad.as_ptr(),
                aad.len(),
            )
        };
        assert!(done == 1 && tag_len == TAG, "a datagram is within the limits of GCM");
        tag
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let context = &raw mut *self.context;
        // SAFETY: the context was initialised, and is not used any more. Nothing else wipes the key.
        unsafe {
            EVP_AEAD_CTX_cleanup(context);
            OPENSSL_cleanse(context.cast(), size_of::<EVP_AEAD_CTX>());
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};

    use super::*;

    #[test]
    fn what_is_sealed_is_opened_by_the_library_and_the_reverse() {
        let algorithms: [(usize, &'static Algorithm); 2] = [(16, &AES_128_GCM), (32, &AES_256_GCM)];
        for (len, algorithm) in algorithms {
            let key: Vec<u8> = (0..len as u8).collect();
            let ours = Key::new(&key).unwrap();
            let theirs = LessSafeKey::new(UnboundKey::new(algorithm, &key).unwrap());
            for plain in [vec![], vec![7; 1], vec![9; 1_200]] {
                let mut sealed = vec![0; plain.len()];
                let tag = ours.seal([3; NONCE], b"header", &plain, &mut sealed);
                let mut in_place = plain.clone();
                assert_eq!(ours.seal_in_place([3; NONCE], b"header", &mut in_place), tag);
                assert_eq!(in_place, sealed);
                sealed.extend(tag);
                let nonce = Nonce::assume_unique_for_key([3; NONCE]);
                let opened = theirs.open_in_place(nonce, Aad::from(b"header"), &mut sealed).unwrap();
                assert_eq!(*opened, plain[..]);

                let mut text = plain.clone();
                let nonce = Nonce::assume_unique_for_key([4; NONCE]);
                let tag = theirs.seal_in_place_separate_tag(nonce, Aad::from(b"header"), &mut text).unwrap();
                let sealed = text.clone();
                assert_eq!(ours.open_in_place([4; NONCE], b"header", &mut text, tag.as_ref()), Ok(()));
                assert_eq!(text, plain);
                let mut wrong = [0; TAG];
                wrong.copy_from_slice(tag.as_ref());
                wrong[TAG - 1] ^= 1;
                for (aad, tag) in [(&b"header"[..], &wrong[..]), (b"Header", tag.as_ref()), (b"header", &wrong[..4])] {
                    assert_eq!(ours.open_in_place([4; NONCE], aad, &mut sealed.clone(), tag), Err(Forged));
                }
            }
        }
        assert!(Key::new(&[0; 24]).is_none());
    }
}
