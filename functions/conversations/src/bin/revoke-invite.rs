fn main() -> std::process::ExitCode {
    conversations::revoke_invite::main()
}
