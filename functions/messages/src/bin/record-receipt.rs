fn main() -> std::process::ExitCode {
    messages::record_receipt::main()
}
