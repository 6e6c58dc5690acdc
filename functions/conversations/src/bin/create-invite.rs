fn main() -> std::process::ExitCode {
    conversations::create_invite::main()
}
