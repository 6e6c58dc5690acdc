fn main() -> std::process::ExitCode {
    conversations::accept_invite::main()
}
