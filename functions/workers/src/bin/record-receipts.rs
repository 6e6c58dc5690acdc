fn main() -> std::process::ExitCode {
    workers::record_receipts::main()
}
