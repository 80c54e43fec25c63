//! Where bytes come from: a file, a compressed file, standard input.
