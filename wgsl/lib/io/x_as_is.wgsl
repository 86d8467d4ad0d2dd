// The start of a product whose input is ready.
//
// provides: x start

fn x_start(row: u32, lane: u32, lanes: u32) {
}
