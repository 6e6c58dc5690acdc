fn main() -> std::process::ExitCode {
    messages::list_receipts::main()
}
