//! What a reviewer of a merge request must see.
